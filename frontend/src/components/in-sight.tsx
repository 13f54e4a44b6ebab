/** What lies below the window is neither asked for nor drawn until somebody scrolls near it. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

// Soon enough to be there when it comes into the window.
const NEAR = "300px";

/** Whether an element is in the window, or near it. */
export function useInSight(host: RefObject<Element | null>): boolean {
  const [isInSight, setInSight] = useState(false);
  useEffect(() => {
    const element = host.current;
    if (element === null) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      (entries) => setInSight(entries.at(-1)?.isIntersecting ?? false),
      { rootMargin: NEAR },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [host]);
  return isInSight;
}

interface OnceInSightProps {
  /** A class that keeps the room which the children will take. */
  readonly class: string;
  readonly children: ComponentChildren;
}

/** Show the children once somebody has come near, and from then on. */
export function OnceInSight({ class: name, children }: OnceInSightProps) {
  const host = useRef<HTMLDivElement>(null);
  const isInSight = useInSight(host);
  const wasSeen = useRef(false);
  wasSeen.current ||= isInSight;
  return (
    <div class={name} ref={host}>
      {wasSeen.current && children}
    </div>
  );
}
