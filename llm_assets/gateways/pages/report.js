// The table of items: search, filter, sort, open. Every text becomes a text node and never HTML.
"use strict";
(async () => {
  const PAGE_SIZE = 50;
  const ENTRIES_PER_PAGE = 100;
  const SHORTEST_ID = 6;
  const [ROW, OUTCOME, GROUP, INPUT, ANSWER, TRIES, TOKENS, COST, WORK, SCORE, ROUTE, FIELDS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

  // Texts travel as compressed JSON in base64, which means nothing to HTML.
  const unpack = async (base64) => {
    const binary = atob(base64);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };

  if (!("DecompressionStream" in window)) return; // the page stays as it is without scripts
  const known = await unpack(document.getElementById("rows").textContent);
  const rows = known.rows;
  const packs = [...document.querySelectorAll("script.entries")];
  const pages = new Map(); // page number -> promise of its entries
  const texts = new Array(rows.length); // what a search looks through, once the pages are read
  const ids = new Array(rows.length); // the names of the item and its calls; short words would be in any of them
  const sourceLines = new Array(rows.length);
  let shared = null;
  let hasTexts = false;

  const state = { words: [], outcome: null, route: null, sort: null, down: false, page: 0, found: rows.map((_, at) => at), open: new Set() };

  // ---- elements -------------------------------------------------------------------------------------------------
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const count = (number) => number.toLocaleString("en-US");
  const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
  const money = (amount) => {
    if (amount === null || amount === undefined) return "unknown";
    const size = Number(amount);
    if (size === 0) return "$0.00";
    return "$" + (size >= 1 ? size.toFixed(2) : size.toPrecision(3).replace(/(\.\d\d\d*?)0+$/, "$1"));
  };
  const breakable = (text) => text.split(/(?<=[_.])/).flatMap((part, at) => (at ? [make("wbr"), part] : [part])); // labels such as hardware_fault
  const outcomeName = (place) => known.outcomes[place].replace("_", " ");
  const badge = (place) => make("span", { class: `outcome is-${known.outcomes[place]}` }, outcomeName(place));

  // ---- what is packed -------------------------------------------------------------------------------------------
  const loadShared = () => (shared ||= unpack(document.getElementById("shared").textContent));
  const loadPage = (number) => {
    if (!pages.has(number)) pages.set(number, unpack(packs[number].textContent));
    return pages.get(number);
  };
  const loadEntry = async (at) => (await loadPage(Math.floor(at / ENTRIES_PER_PAGE)))[at % ENTRIES_PER_PAGE];

  const collect = (value, into) => {
    if (typeof value === "string") into.push(value);
    else if (Array.isArray(value)) for (const each of value) collect(each, into);
    else if (value && typeof value === "object") for (const each of Object.values(value)) collect(each, into);
    else if (typeof value === "number") into.push(String(value));
  };
  const collectTexts = (at, entry) => {
    const row = rows[at];
    const into = [row[INPUT], row[ANSWER], row[GROUP] === null ? "" : known.groups[row[GROUP]]];
    collect([entry.input, entry.output, entry.expected, entry.verdict, entry.reason, entry.fate, entry.edits], into);
    for (const call of entry.calls) into.push(call.answer || "", call.problem || "", call.refusal || "");
    return into.join("\n").toLowerCase();
  };
  const readTexts = async () => {
    for (let number = 0; number < packs.length; number += 1) {
      const entries = await unpack(packs[number].textContent);
      entries.forEach((entry, place) => {
        const at = number * ENTRIES_PER_PAGE + place;
        texts[at] = collectTexts(at, entry);
        sourceLines[at] = entry.lines;
        ids[at] = [rows[at][WORK], ...entry.calls.map((call) => call.key)];
      });
    }
    hasTexts = true;
  };
  let reading = null;

  // ---- finding --------------------------------------------------------------------------------------------------
  const matches = (at) => {
    const row = rows[at];
    if (state.outcome !== null && row[OUTCOME] !== state.outcome) return false;
    if (state.route !== null && row[ROUTE] !== state.route) return false;
    return state.words.every((word) => {
      const asked = /^(row|line):(\d+)$/.exec(word);
      if (asked) return asked[1] === "row" ? row[ROW] === Number(asked[2]) : sourceLines[at].includes(Number(asked[2]));
      return texts[at].includes(word) || (word.length >= SHORTEST_ID && ids[at].some((id) => id.startsWith(word) || word.startsWith(id)));
    });
  };
  const compare = (one, other) => {
    const [a, b] = [rows[one][state.sort], rows[other][state.sort]];
    if (a === b) return one - other;
    if (a === null || a === undefined) return 1; // what is not known stands last, in either direction
    if (b === null || b === undefined) return -1;
    const order = typeof a === "string" && typeof b === "string" ? (a < b ? -1 : 1) : a - b;
    return state.down ? -order : order;
  };
  const find = () => {
    state.found = [];
    for (let at = 0; at < rows.length; at += 1) if (matches(at)) state.found.push(at);
    if (state.sort !== null) state.found.sort(compare);
  };

  // ---- the table ------------------------------------------------------------------------------------------------
  const isNumeric = (place) => rows.some((row) => typeof row[place] === "number");
  const columns = [
    { name: "Row", place: ROW, kind: "row" },
    { name: "Outcome", place: OUTCOME, kind: "outcome" },
    known.groups.length ? { name: "Group", place: GROUP, kind: "group" } : null,
    { name: "Input", place: INPUT, kind: "clip" },
    { name: "Answer, or why there is none", place: ANSWER, kind: "clip" },
    ...known.fields.map((name, at) => ({ name, place: FIELDS + at, kind: "field", numeric: isNumeric(FIELDS + at) })),
    known.routes.length ? { name: "Gate", place: ROUTE, kind: "route" } : null,
    known.has_scores ? { name: "Score", place: SCORE, kind: "score", numeric: true } : null,
    { name: "Tries", place: TRIES, kind: "tries", numeric: true },
    { name: "Tokens", place: TOKENS, kind: "tokens", numeric: true },
    { name: "Cost", place: COST, kind: "cost", numeric: true },
  ].filter(Boolean);

  const search = make("input", { type: "search", id: "search", placeholder: "Search all texts, row 17 or line 45", "aria-label": "Search items", autocomplete: "off", spellcheck: "false" });
  const makeChips = (label) => make("div", { class: "chips", role: "group", "aria-label": label });
  const chips = makeChips("Outcome");
  const routeChips = makeChips("Gate and review");
  const found = make("p", { class: "found", role: "status" });
  const head = make("tr");
  const body = make("tbody");
  const table = make("table", { class: "items" }, make("thead", null, head), body);
  const back = make("button", { type: "button" }, "Back");
  const next = make("button", { type: "button" }, "Next");
  const where = make("span");
  const pager = make("div", { class: "pager" }, back, where, next);

  const cell = (column, row, at) => {
    const value = row[column.place];
    if (column.kind === "row") {
      const isOpen = state.open.has(at);
      return make("td", null, make("button", { type: "button", class: "opener", "aria-expanded": String(isOpen), "aria-label": `Row ${value}, ${outcomeName(row[OUTCOME])}` }, count(value)));
    }
    if (column.kind === "outcome") return make("td", null, badge(value));
    if (column.kind === "group") return make("td", { class: "clip" }, make("span", { dir: "auto" }, value === null ? "" : known.groups[value]));
    if (column.kind === "route") return make("td", { "data-name": value === null ? null : column.name }, value === null ? "" : known.routes[value]);
    if (column.kind === "clip") {
      const isReason = column.place === ANSWER && row[OUTCOME] !== 0; // it takes the place of the output's fields
      return make("td", { class: "clip", colspan: isReason ? 1 + known.fields.length : null }, make("span", { dir: "auto" }, value));
    }
    const text = value === null || value === undefined ? "" : column.kind === "cost" ? money(value) : column.kind === "score" ? String(value) : typeof value === "number" && column.kind !== "field" ? count(value) : String(value);
    if (column.kind === "field") return make("td", { class: column.numeric ? "num" : "clip", "data-name": text && column.name }, text && make("span", { dir: "auto" }, ...breakable(text)));
    return make("td", { class: "num", "data-name": column.name }, column.kind === "cost" && value === null ? "unknown" : text);
  };

  const drawHead = () => {
    head.replaceChildren(...columns.map((column) => {
      const isSorted = state.sort === column.place;
      const button = make("button", { type: "button" }, ...(column.kind === "field" ? breakable(column.name) : [column.name]));
      button.addEventListener("click", () => {
        state.down = isSorted ? !state.down : Boolean(column.numeric);
        state.sort = column.place;
        state.page = 0;
        find();
        draw();
        head.children[columns.indexOf(column)].firstChild.focus();
      });
      const sorted = isSorted ? (state.down ? "descending" : "ascending") : null;
      return make("th", { scope: "col", class: `col-${column.kind}${column.numeric ? " num" : ""}`, "aria-sort": sorted }, button);
    }));
  };
  const drawRow = (at) => {
    const isOpen = state.open.has(at);
    const shown = rows[at][OUTCOME] === 0 ? columns : columns.filter((column) => column.kind !== "field");
    const line = make("tr", { class: isOpen ? "row is-open" : "row", "data-at": at }, ...shown.map((column) => cell(column, rows[at], at)));
    if (!isOpen) return [line];
    const place = make("td", { colspan: columns.length }, make("p", { class: "quiet" }, "Reading…"));
    showEntry(at, place);
    return [line, make("tr", { class: "detail" }, place)];
  };
  const draw = () => {
    drawHead();
    const nPages = Math.max(1, Math.ceil(state.found.length / PAGE_SIZE));
    state.page = Math.min(state.page, nPages - 1);
    const start = state.page * PAGE_SIZE;
    const shown = state.found.slice(start, start + PAGE_SIZE);
    const nothing = make("tr", null, make("td", { colspan: columns.length, class: "quiet" }, "Nothing found."));
    body.replaceChildren(...(shown.length ? shown.flatMap(drawRow) : [nothing]));
    found.textContent = state.found.length === rows.length ? `${plural(rows.length, "item")}, those without an accepted output first` : `${count(state.found.length)} of ${plural(rows.length, "item")}`;
    if (state.sort !== null && state.found.length === rows.length) found.textContent = plural(rows.length, "item");
    where.textContent = `${count(start + 1)} to ${count(start + shown.length)} of ${count(state.found.length)}`;
    back.disabled = state.page === 0;
    next.disabled = state.page >= nPages - 1;
    pager.hidden = nPages === 1;
    Object.assign(table.dataset, { found: state.found.length, query: state.words.join(" ") });
  };
  const toggle = (at) => {
    if (!state.open.delete(at)) state.open.add(at);
    const line = body.querySelector(`tr.row[data-at="${at}"]`);
    const hadFocus = line.contains(document.activeElement);
    if (line.nextSibling && line.nextSibling.className === "detail") line.nextSibling.remove();
    const fresh = drawRow(at);
    line.replaceWith(...fresh);
    if (hadFocus) fresh[0].querySelector(".opener").focus();
  };

  // ---- one item -------------------------------------------------------------------------------------------------
  const isObject = (value) => value !== null && typeof value === "object";
  const isFlatObject = (value) => isObject(value) && !Array.isArray(value) && !Object.values(value).some(isObject);
  const listFields = (value) => Object.entries(value).filter((entry) => entry[1] !== null).map(([name, each]) => `${name}: ${each}`);
  const isPlainList = (value) => Array.isArray(value) && value.every((each) => typeof each !== "object");
  const showValue = (value) => {
    if (value === null) return "";
    if (isPlainList(value)) return value.map((each) => `• ${each}`).join("\n");
    if (isFlatObject(value)) return listFields(value).join("\n");
    if (Array.isArray(value) && value.every(isFlatObject)) return value.map((each) => `• ${listFields(each).join(" · ")}`).join("\n");
    return typeof value === "string" ? value : JSON.stringify(value, null, 2);
  };
  const showValues = (values) => {
    const list = make("dl", { class: "values" });
    for (const [name, value] of Object.entries(values)) list.append(make("dt", null, make("bdi", null, ...breakable(name))), make("dd", { dir: "auto" }, showValue(value)));
    return list;
  };
  const showExpected = (fields) => {
    const list = make("dl", { class: "values" });
    for (const [name, expected, score, gap] of fields) {
      const told = score === null ? `no score: ${gap}` : score === 1 ? "answered so" : score === 0 ? "answered otherwise, or not at all" : `score ${Number(score.toFixed(3))}`;
      list.append(make("dt", null, make("bdi", null, ...breakable(name))), make("dd", { dir: "auto" }, showValue(expected), " ", make("span", { class: "quiet" }, told)));
    }
    return list;
  };
  const showSaid = (said, title) => {
    if (!known.steps.length) return [make("h4", null, title), showValues(said)];
    return Object.entries(said).flatMap(([step, values]) => [make("h4", null, `${title} of ${step}`), isObject(values) && !Array.isArray(values) ? showValues(values) : make("p", { dir: "auto" }, showValue(values))]);
  };
  const showEdits = (edits) => {
    const list = make("dl", { class: "values" });
    for (const [name, model, person] of edits) {
      const before = model === null ? null : make("del", null, showValue(model));
      list.append(make("dt", null, make("bdi", null, ...breakable(name))), make("dd", { dir: "auto" }, ...(before ? [before, " "] : []), make("ins", null, showValue(person) || "(empty)")));
    }
    return list;
  };
  const join = (parts, sharedTexts) => parts.map((part) => (typeof part === "number" ? sharedTexts[part] : part)).join("");
  const showCall = (call, sharedTexts, isOpen, isRejected) => {
    const isJudge = call.purpose === "judge";
    const verdict = !isJudge ? (call.problem && call.finish !== null ? (isRejected ? "rejected by the judge" : "not valid") : null) : call.verdict === null ? "no verdict" : call.verdict ? "accepts" : "rejects";
    const facts = [
      verdict,
      call.finish === "stop" ? null : call.finish === null ? "no answer" : `ended by ${call.finish}`,
      call.repaired ? "JSON mended" : null,
      `${call.approximate ? "about " : ""}${count(call.prompt_tokens)} + ${count(call.completion_tokens)} tokens`,
      call.cached_tokens ? `${count(call.cached_tokens)} cached` : null,
      money(call.cost),
      call.seconds === undefined || call.seconds === null ? null : `${call.seconds} s`,
      call.at === null ? null : `${call.at} UTC`,
    ].filter(Boolean).join(" · ");
    const box = make("details", { class: "call", open: isOpen },
      make("summary", null, make("b", null, `${call.step ? `${call.step}: ` : ""}${isJudge ? "judge on attempt" : "attempt"} ${call.number}`), make("span", { class: "quiet" }, facts)));
    if (call.problem) box.append(make("p", { class: "problem", dir: "auto" }, call.problem));
    for (const fault of call.faults || []) box.append(make("p", { class: "quiet", dir: "auto" }, `A try before brought no answer. ${fault}`));
    for (const [role, parts] of call.messages || []) box.append(make("h4", null, `Sent as ${role}`), make("pre", null, join(parts, sharedTexts)));
    if (call.refusal) box.append(make("h4", null, "Refusal"), make("pre", null, call.refusal));
    if (call.answer !== undefined && call.answer !== null) box.append(make("h4", null, "Answered"), make("pre", null, call.answer));
    if (!call.messages) box.append(make("p", { class: "quiet" }, "The ledger was not at hand, so the words sent and answered are not in this page."));
    box.append(make("p", { class: "ids" }, "call ", make("code", null, call.key), call.model ? ` by ${call.model}` : ""));
    return box;
  };
  const showEntry = async (at, place) => {
    const [entry, sharedTexts] = await Promise.all([loadEntry(at), loadShared()]);
    const row = rows[at];
    const left = make("div");
    const right = make("div");
    if (entry.input) left.append(make("h4", null, "Input"), showValues(entry.input));
    else left.append(make("h4", null, "Input"), make("p", null, `${plural(entry.n_rows, "row")}; the calls below show them as they were sent.`));
    if (entry.fate !== undefined) right.append(make("h4", null, "Gate and review"), make("p", { dir: "auto", class: "reason" }, entry.fate));
    if (entry.edits && entry.edits.length) right.append(make("h4", null, "Changed by ", make("bdi", null, entry.reviewer)), showEdits(entry.edits));
    if (entry.output) right.append(...showSaid(entry.output, "Output"));
    if (entry.reason) right.append(make("h4", null, "Why there is no output"), make("p", { dir: "auto", class: "reason" }, entry.reason));
    if (entry.expected && entry.expected.length) right.append(make("h4", null, "Expected"), showExpected(entry.expected));
    if (entry.verdict) right.append(...showSaid(entry.verdict, "Verdict"));
    const lines = entry.lines.join(", ") + (entry.n_rows > entry.lines.length ? ` and ${count(entry.n_rows - entry.lines.length)} more` : "");
    const ids = make("p", { class: "ids" }, `row ${count(row[ROW])} · source ${entry.n_rows === 1 ? "line" : "lines"} ${lines} · `,
      make("a", { href: `#item-${encodeURIComponent(row[WORK])}` }, `item ${row[WORK]}`));
    const calls = make("div", null, make("h4", null, entry.calls.length ? "Calls, with the prompts as sent" : "No calls were made"));
    const name = (call) => `${call.step || ""}/${call.number}`;
    const rejected = new Set(entry.calls.filter((call) => call.purpose === "judge" && call.verdict === false).map(name));
    for (const call of entry.calls) calls.append(showCall(call, sharedTexts, entry.calls.length === 1, rejected.has(name(call))));
    place.replaceChildren(ids, make("div", { class: "sides" }, left, right), calls);
  };

  // ---- what a person does ---------------------------------------------------------------------------------------
  const refresh = () => {
    state.page = 0;
    find();
    draw();
  };
  let asked = 0;
  const runSearch = async () => {
    const mine = (asked += 1);
    const words = search.value.toLowerCase().replace(/^\s*(row|line)\s+(\d+)\s*$/, "$1:$2").split(/\s+/).filter(Boolean);
    if (words.some((word) => !/^row:\d+$/.test(word)) && !hasTexts) {
      found.textContent = "Reading all texts…";
      await (reading ||= readTexts());
      if (mine !== asked) return; // typed on meanwhile
    }
    state.words = words;
    refresh();
  };
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(runSearch, 120);
  });
  body.addEventListener("click", (event) => {
    const line = event.target.closest("tr.row");
    const isSelecting = String(getSelection()).length > 0 && !event.target.closest("button");
    if (line && !isSelecting) toggle(Number(line.dataset.at));
  });
  const turn = (by) => {
    state.page += by;
    draw();
    search.scrollIntoView({ block: "start" });
  };
  back.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));

  const addChips = (group, part, place, describe) => {
    const totals = new Map();
    for (const row of rows) totals.set(row[place], (totals.get(row[place]) || 0) + 1);
    if (totals.size < 2) return;
    const all = { value: null, label: `all ${count(rows.length)}`, tone: null };
    const each = [...totals.keys()].sort((a, b) => a - b).map((value) => ({ value, ...describe(value, count(totals.get(value))) }));
    for (const { value, label, tone } of [all, ...each]) {
      const chip = make("button", { type: "button", "aria-pressed": String(value === null), class: tone }, label);
      chip.addEventListener("click", () => {
        state[part] = value;
        press(group, chip);
        refresh();
      });
      group.append(chip);
    }
  };
  const press = (group, chosen) => {
    for (const each of group.children) each.setAttribute("aria-pressed", String(each === chosen));
  };
  addChips(chips, "outcome", OUTCOME, (value, n) => ({ label: `${outcomeName(value)} ${n}`, tone: `is-${known.outcomes[value]}` }));
  if (known.routes.length) addChips(routeChips, "route", ROUTE, (value, n) => ({ label: `${known.routes[value]} ${n}`, tone: null }));

  const goToItem = () => {
    const asked = /^#item-(.+)$/.exec(location.hash);
    if (!asked) return;
    let work = asked[1];
    try { work = decodeURIComponent(work); } catch { return; }
    const at = rows.findIndex((row) => row[WORK] === work);
    if (at < 0) return;
    if (!state.found.includes(at)) {
      search.value = "";
      Object.assign(state, { words: [], outcome: null, route: null });
      for (const group of [chips, routeChips]) press(group, group.firstChild);
      find();
    }
    state.open.add(at);
    state.page = Math.floor(state.found.indexOf(at) / PAGE_SIZE);
    draw();
    const line = body.querySelector(`tr.row[data-at="${at}"]`);
    line.scrollIntoView({ block: "start" });
    line.querySelector(".opener").focus({ preventScroll: true });
  };
  addEventListener("hashchange", goToItem);

  const target = document.getElementById("table");
  if (rows.length) {
    target.append(make("div", { class: "controls" }, search, ...[chips, routeChips].filter((group) => group.firstChild)), found, table, pager);
    target.hidden = false;
    document.getElementById("static").hidden = true;
    draw();
    goToItem();
  }
})();
