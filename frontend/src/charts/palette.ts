/** The colours of the style sheet as a canvas understands them. */

import { colours } from "../runtime/theme.ts";
import type { Palette } from "./painter.ts";

const known = new Map<string, string>();
let probe: HTMLElement | undefined;

colours.follow(() => known.clear());

export const palette: Palette = {
  colour: (name) => {
    const found = known.get(name) ?? resolved(name);
    known.set(name, found);
    return found;
  },
};

/** A canvas knows neither custom properties nor `light-dark()`: an element resolves them. */
function resolved(name: string): string {
  if (probe === undefined) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
