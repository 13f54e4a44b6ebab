/** A value that components follow. */

import { useEffect, useState } from "preact/hooks";

export class Store<T> {
  readonly #followers = new Set<(value: T) => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (value !== this.#value) {
      this.#value = value;
      for (const follower of this.#followers) {
        follower(value);
      }
    }
  }

  follow(follower: (value: T) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    // It may have changed between the first rendering and now.
    setValue(() => store.value);
    return store.follow((changed) => setValue(() => changed));
  }, [store]);
  return value;
}
