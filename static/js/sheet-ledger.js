// What this page knows of each field: what stands on the server, what was sent without an answer, and where a
// colleague typed something else. No page, no network: texts in, decisions out.

const NOTHING = { value: "", version: 0 };

export class Ledger {
  constructor(loaded, version) {
    this.version = version;
    this.standing = new Map(Object.entries(loaded).map(([name, value]) => [name, { value, version }]));
    this.unanswered = new Map();
    this.clashes = new Map();
  }

  known(name) {
    return this.standing.get(name) ?? NOTHING;
  }

  // The names of the fields whose text is not known to stand on the server.
  unsaved(texts) {
    return [...texts.keys()].filter(
      (name) => this.unanswered.has(name) || texts.get(name) !== this.known(name).value
    );
  }

  // What is to be sent. Where a colleague typed something else, a person has to choose first.
  toSend(texts) {
    const fields = {};
    for (const name of this.unsaved(texts)) {
      if (this.clashes.has(name)) continue;
      fields[name] = {
        value: texts.get(name),
        seen: this.known(name).version,
        tried: [...(this.unanswered.get(name) ?? [])],
      };
    }
    return fields;
  }

  noteSent(fields) {
    for (const [name, { value }] of Object.entries(fields)) {
      this.unanswered.set(name, new Set(this.unanswered.get(name)).add(value));
    }
  }

  // Takes an answer in; gives the fields to be put on the page, and those that clash anew.
  take(answer, sent, texts) {
    const toPut = [];
    const clashes = [];
    const written = new Set(answer.written ?? []);
    this.version = Math.max(this.version, answer.version);
    for (const [name, there] of Object.entries(answer.fields)) {
      if (written.has(name)) {
        if (there.version >= this.known(name).version) this.stands(name, sent[name].value, there.version);
        continue;
      }
      if (there.version <= this.known(name).version) continue;
      const here = texts.get(name) ?? "";
      const isLeftAlone = here === this.known(name).value && !this.unanswered.has(name);
      if (here === there.value || isLeftAlone || this.unanswered.get(name)?.has(there.value)) {
        if (isLeftAlone && here !== there.value) toPut.push({ name, ...there });
        this.stands(name, there.value, there.version);
      } else {
        if (this.clashes.get(name)?.version !== there.version) clashes.push(name);
        this.clashes.set(name, there);
      }
    }
    return { toPut, clashes };
  }

  stands(name, value, version) {
    this.standing.set(name, { value, version });
    this.unanswered.delete(name);
    this.clashes.delete(name);
  }

  // The person saw the colleague's text and keeps the own one: it may now be written over.
  keepMine(name) {
    const { value, version } = this.clashes.get(name);
    this.stands(name, value, version);
  }
}
