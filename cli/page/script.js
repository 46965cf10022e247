// Filters and sorts the table. Without it the page shows all certificates, those that need attention first.
const table = document.querySelector('tbody');
const rows = [...table.rows];
const text = document.querySelector('#text');
const state = document.querySelector('#state');
const shown = document.querySelector('#shown');

const order = new Intl.Collator('en', { numeric: true });

function filter() {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const found =
      words.every((word) => row.dataset.text.includes(word)) &&
      (state.value === '' || row.dataset.state === state.value);
    row.hidden = !found;
    if (found) count += 1;
  }
  shown.textContent = `${count} of ${rows.length} certificates`;
}

function sort(header) {
  const column = header.cellIndex;
  const ascending = header.getAttribute('aria-sort') !== 'ascending';
  for (const each of header.parentElement.cells) each.removeAttribute('aria-sort');
  header.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
  const keys = new Map(rows.map((row) => [row, row.cells[column].dataset.sort ?? row.cells[column].textContent]));
  const compare = (a, b) => order.compare(keys.get(a), keys.get(b));
  rows.sort((a, b) => (ascending ? compare(a, b) : compare(b, a)));
  for (const row of rows) row.classList.add('later');
  // Removes all rows at once. To move 5,000 rows one by one takes ten seconds.
  table.replaceChildren(...rows);
  layOut();
}

let timer;

/**
 * Lays out the rows that the browser has skipped because they are not on the screen (the class `later`), some at a time, so that the page can be used
 * meanwhile. Until then they are not in the accessibility tree of Chrome.
 */
function layOut(from = 0) {
  clearTimeout(timer);
  if (from >= rows.length) return;
  timer = setTimeout(() => {
    for (const row of rows.slice(from, from + 200)) row.classList.remove('later');
    layOut(from + 200);
  }, 50);
}

text.addEventListener('input', filter);
state.addEventListener('change', filter);
for (const header of document.querySelectorAll('thead th')) {
  const button = header.querySelector('button');
  if (button) button.addEventListener('click', () => sort(header));
}
filter();
layOut();
