/** A link to another state of the page: a real address, followed without loading anew. */

import type { ComponentChildren } from "preact";
import type { Screen, State } from "../model/state.ts";
import { go, hrefOf, screenState, useRoute } from "../runtime/router.ts";

interface LinkProps {
  readonly to: State;
  readonly class?: string;
  readonly isCurrent?: boolean;
  readonly title?: string;
  readonly children: ComponentChildren;
}

export function Link({ to, isCurrent = false, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    // What opens a new tab or a menu is the browser's.
    if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      go(to);
      scrollTo(0, 0);
    }
  };
  return (
    <a href={hrefOf(to)} onClick={follow} aria-current={isCurrent ? "page" : undefined} {...rest}>
      {children}
    </a>
  );
}

interface ScreenLinkProps extends Omit<LinkProps, "to"> {
  readonly screen: Screen;
  readonly details?: Readonly<Record<string, string>>;
}

export function ScreenLink({ screen, details = {}, ...rest }: ScreenLinkProps) {
  // Followed, so that the address keeps up with the window and the zoom.
  useRoute();
  return <Link to={screenState(screen, details)} {...rest} />;
}
