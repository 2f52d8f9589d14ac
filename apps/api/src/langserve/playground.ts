/** A page to try a chain: everything it shows is set as text, never as markup. */
export function playgroundPage(name: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ragstone: ${name}</title>
</head>
<body>
<main>
<h1>/${name}</h1>
<form id="form">
<p><label for="question">Question</label><br><textarea id="question" rows="3" cols="80" required></textarea></p>
<p><button>Ask</button> <button type="button" id="stop" disabled>Stop</button></p>
</form>
<h2>Answer</h2>
<p id="answer" role="status"></p>
<h2>All of it</h2>
<pre id="rest"></pre>
</main>
<script src="/${name}/playground/playground.js" data-chain="${name}"></script>
</body>
</html>
`;
}

export const playgroundScript = `'use strict';
const { chain } = document.currentScript.dataset;
const [form, question, stop, answer, rest] = ['form', 'question', 'stop', 'answer', 'rest'].map((id) => document.getElementById(id));
let running = null;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  ask(question.value).catch((error) => {
    answer.textContent += error.name === 'AbortError' ? ' (stopped)' : String(error);
  }).finally(() => {
    stop.disabled = true;
  });
});
stop.addEventListener('click', () => running && running.abort());

async function ask(input) {
  if (running) running.abort();
  running = new AbortController();
  stop.disabled = false;
  answer.textContent = '';
  rest.textContent = '';
  const response = await fetch('/' + chain + '/stream', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
    signal: running.signal,
  });
  if (!response.ok) {
    answer.textContent = (await response.json()).detail;
    return;
  }
  const whole = {};
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    buffer += value;
    const events = buffer.split('\\n\\n');
    buffer = events.pop();
    for (const event of events) show(event, whole);
  }
}

function show(event, whole) {
  const name = (/^event: (.*)$/m.exec(event) || [])[1];
  const data = (/^data: (.*)$/m.exec(event) || [])[1];
  if (!data || name === 'metadata') return;
  const chunk = JSON.parse(data);
  if (name === 'error') answer.textContent += ' ' + chunk.message;
  else if ('restart' in chunk) answer.textContent = '';
  else {
    const text = chunk.answer || chunk.output;
    if (typeof text === 'string') answer.textContent += text;
    else {
      Object.assign(whole, chunk);
      rest.textContent = JSON.stringify(whole, null, 2);
    }
  }
}
`;
