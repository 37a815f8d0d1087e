// Tokens as text that can be seen, and as a row of buttons.

import { h } from "explorer/dom";
import { digits } from "explorer/format";

const SIGNS = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍" };
// What would not be seen, or would turn the direction of writing.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * @typedef {{ id: number, text: string | null, probability?: number | string }} Token text: null where it is a part of
 *   a character
 */

/**
 * A token's text with signs for spaces and line breaks; its number where it has none.
 * @param {Token} token
 */
export const signs = token =>
  token.text === null || token.text.includes("\ufffd")
    ? `#${token.id}`
    : token.text
        .replace(/[ \n\t\r]/g, sign => SIGNS[sign])
        .replace(UNSEEN, sign => `\\u${sign.codePointAt(0).toString(16).padStart(4, "0")}`) || `#${token.id}`;

/** A row of tokens of which one is chosen. */
export class TokenRow {
  /**
   * @param {HTMLElement} element
   * @param {(place: number) => void} choose
   */
  constructor(element, choose) {
    this.element = element;
    this.choose = choose;
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    element.addEventListener("keydown", event => {
      const at = this.buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
      const last = this.buttons.length - 1;
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
      if (at < 0 || next === undefined) return;
      event.preventDefault();
      const place = Math.max(0, Math.min(last, next));
      this.choose(place);
      this.buttons[place].focus();
    });
  }

  /**
   * @param {Token[]} tokens
   */
  show(tokens) {
    this.buttons = tokens.map((token, place) =>
      h(
        "button",
        {
          type: "button",
          title: `token ${token.id}${
            token.probability === undefined ? "" : `, which the model expected with ${digits(token.probability, 3)}`
          }`,
          onclick: () => this.choose(place),
        },
        signs(token),
      ),
    );
    this.element.replaceChildren(...this.buttons);
  }

  /**
   * Marks the chosen place, and how much it takes from each.
   * @param {number} place
   * @param {number[] | null} shares
   */
  mark(place, shares) {
    this.buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(i === place));
      button.tabIndex = i === place ? 0 : -1;
      button.style.setProperty("--share", String(shares?.[i] ?? 0));
    });
  }
}
