// Where answers come from: the server that sent this page, or the page itself when it was saved as a file.

class Refused extends Error {}

const saved = document.getElementById("answers");

/** Whether a server answers; else there is nothing to train and only saved answers. */
export const isLive = saved === null;

const answers = isLive ? null : JSON.parse(saved.textContent);

/** The answer to ask("tensor", { id: 3, which: "value" }). Throws an Error with one line for the reader. */
export async function ask(what, options = {}) {
  const query = new URLSearchParams(
    Object.entries(options).filter(([, value]) => value !== null && value !== undefined),
  ).toString();
  const address = query ? `${what}?${query}` : what;
  if (isLive) return read(await reach(fetch(`./api/${address}`)));
  const answer = answers[address];
  if (answer === undefined) throw new Refused("This saved page does not hold that; open the explorer itself for it.");
  if (answer.error) throw new Refused(answer.error);
  return answer;
}

/** Sends an order to the training and returns its state. */
export const order = (what, after) => post(`training?after=${after}`, what);

/** Sends an order and returns the answer. */
export const post = async (address, what) =>
  read(
    await reach(
      fetch(`./api/${address}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(what),
      }),
    ),
  );

async function reach(request) {
  try {
    return await request;
  } catch {
    throw new Refused("The explorer does not answer: was it stopped?");
  }
}

async function read(response) {
  if (response.ok) return response.json();
  const text = await response.text();
  try {
    throw new Refused(JSON.parse(text).error);
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(text.trim());
  }
}
