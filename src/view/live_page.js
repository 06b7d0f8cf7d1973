// SPDX-License-Identifier: GPL-2.0-only
// Asks its own server and draws. Names come from whoever makes a cgroup: they are only ever set as text.
'use strict';
const POINTS_MAX = 300;
const SVG = 'http://www.w3.org/2000/svg';
const LINES = ['p50_ns', 'p99_ns', 'p999_ns'];
const BOX = {
	left: 62,
	right: 950,
	top: 10,
	bottom: 270
};
const HEAT = {
	left: 62,
	right: 950,
	top: 8,
	bottom: 212,
	columns: 75
};

let points = [];
let intervalMs = 1000;
let lastAt = 0;                   // at_ns of the newest figures
let freshAt = performance.now();  // when they came
let answered = true;
let isPaused = false;
let cursor = -1;  // of points; -1: none

const $ = id => document.getElementById(id);
const us = ns => ns < 1e4 ? (ns / 1e3).toFixed(2) :
    ns < 1e5              ? (ns / 1e3).toFixed(1) :
			    Math.round(ns / 1e3).toLocaleString('en');
const ms = ns => (ns / 1e6).toFixed(1);
const count = number => number.toLocaleString('en');
const clock = ns => new Date(ns / 1e6).toLocaleTimeString('en-GB');
const say = (id, text) => {
	if ($(id).textContent !== text)
		$(id).textContent = text;
};

function span(ns)
{
	const seconds = Math.round(ns / 1e9);
	if (seconds < 120)
		return `${seconds} s`;
	if (seconds < 7200)
		return `${Math.floor(seconds / 60)} min`;
	if (seconds < 172800)
		return `${Math.floor(seconds / 3600)} h`;
	return `${Math.floor(seconds / 86400)} days`;
}

// Cells: text, or [text, class].
function fillTable(id, rows)
{
	const body = $(id).tBodies[0];
	body.replaceChildren(...rows.map(cells => {
		const row = document.createElement('tr');
		cells.forEach((cell, at) => {
			const [text, name] = Array.isArray(cell) ? cell : [cell, at ? 'n' : ''];
			const box = document.createElement(at ? 'td' : 'th');
			if (!at)
				box.scope = 'row';
			box.className = name;
			box.textContent = text;
			row.append(box);
		});
		return row;
	}));
}

function tone(id, name)
{
	$(id).className = `value ${name}`;
}

function showTiles(live)
{
	const scheduler = live.scheduler;
	say('scheduler', scheduler.scheduler ?? (scheduler.has_sched_ext ? 'EEVDF' : 'no sched_ext'));
	say('since',
	    scheduler.age_ns !== null ? `loaded ${span(scheduler.age_ns)} ago` :
		scheduler.scheduler ? '' :
				      'the kernel\'s own');
	const guard = live.guard;
	say('guard', !guard ? (live.guard_trouble ? 'unknown' : 'none') : guard.running ? guard.phase : 'not running');
	say('guard-why', guard ? guard.reason ?? '' : live.guard_trouble ?? 'no guard was ever here');
	tone('guard', guard && guard.phase === 'held' ? 'bad' : '');
	const sum = key => scheduler.classes.reduce((all, row) => all + row[key], 0);
	say('missed', scheduler.classes.length ? count(sum('recent_missed')) : '-');
	say('missed-of', scheduler.classes.length ? `of ${count(sum('recent_waits'))} waits` : 'no budgets');
	tone('missed', scheduler.classes.length ? sum('recent_missed') ? 'bad' : 'good' : '');
	const latest = live.latest;
	say('p99', latest && latest.waits ? `${us(latest.p99_ns)} us` : '-');
	say('p99-of',
	    latest ? `${count(latest.waits)} waits, longest ${us(latest.max_ns)} us` : live.waits_trouble ?? '');
	const name = scheduler.scheduler ?? 'EEVDF';
	const missed = sum('recent_missed');
	say('headline',
	    !scheduler.classes.length ? `${name} runs.` :
		missed ? `${name} runs, and missed budgets ${count(missed)} times in the last minute.` :
			 `${name} runs, and kept all budgets in the last minute.`);
}

function showTables(live)
{
	const classes = live.scheduler.classes;
	$('budgets').hidden = !classes.length;
	$('no-budgets').hidden = classes.length > 0;
	say('no-budgets', live.scheduler.trouble ?? 'No cgroup has a budget.');
	fillTable(
	    'budgets',
	    classes.map(
		row => [
		    [row.cgroup, 'name'], us(row.budget_ns), count(row.waits), count(row.missed),
		    [count(row.recent_missed), row.recent_missed ? 'n bad' : 'n'],
		    [row.recent_waits ? us(row.recent_p99_ns) : '-', row.recent_p99_ns > row.budget_ns ? 'n bad' : 'n'],
		    [
			    row.infeasible_text ? `not in ${count(row.infeasible_windows)} of ${
						      count(row.windows)} windows: ${row.infeasible_text}` :
				row.windows ? 'yes' :
					      'not judged yet',
			    'name'
		    ]]));
	$('no-waits').hidden = !live.waits_trouble;
	$('waits').hidden = !!live.waits_trouble;
	say('no-waits', live.waits_trouble ?? '');
	fillTable(
	    'cgroups',
	    live.cgroups.map(
		row => [
		    [row.cgroup, 'name'], count(row.waits), ms(row.wait_ns_sum), us(row.p50_ns), us(row.p99_ns),
		    us(row.max_ns), ms(row.throttled_ns)]));
	fillTable(
	    'percentiles',
	    points.slice(-5).reverse().map(
		point =>
		    [clock(point.at_ns), count(point.waits), us(point.p50_ns), us(point.p90_ns), us(point.p99_ns),
		     us(point.p999_ns), us(point.max_ns), [count(point.lost), point.lost ? 'n bad' : 'n']]));
}

function showFacts(live)
{
	const scheduler = live.scheduler, guard = live.guard;
	const facts = [
		[
			'serves',
			scheduler.scheduler ? scheduler.serves_all ? 'all tasks' : 'the named cgroups alone' : 'nobody'
		],
		[
			'ejections',
			scheduler.ejections === null ?
			    'not known: the kernel\'s log may not be read' :
			    `${count(scheduler.ejections)} that the kernel's log still tells of`
		],
		['last end', scheduler.last_end ?? 'none known'],
		[
			'starved',
			scheduler.starved === null ? 'not counted' :
						     `${count(scheduler.starved)} tasks waited for over a second`
		]
	];
	if (guard) {
		facts.push(
		    [
			    'guard',
			    `${guard.running ? 'runs' : 'does not run'}; ${guard.phase}${
				guard.held_by === 'nobody' ? '' : `, by ${guard.held_by}`}`
		    ],
		    ['loads, warnings', `${count(guard.loads)}, ${count(guard.warnings)}`], [
			    'ends',
			    Object.entries(guard.exits)
				    .filter(([, nr]) => nr)
				    .map(([why, nr]) => `${why} ${count(nr)}`)
				    .join(', ') ||
				'none'
		    ]);
	}
	facts.push(
	    ['lost samples', count(live.lost)],
	    [
		    'own probes',
		    live.probes_ns === null ? 'not measured (--cost)' : `${ms(live.probes_ns)} ms of CPU so far`
	    ],
	    ['punctual', live.punctual]);
	$('facts').replaceChildren(...facts.flatMap(([name, value]) => {
		const term = document.createElement('dt'), text = document.createElement('dd');
		term.textContent = name;
		text.textContent = value;
		return [term, text];
	}));
}

function shape(kind, attributes, text)
{
	const element = document.createElementNS(SVG, kind);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	if (text !== undefined)
		element.textContent = text;
	return element;
}

const xOf = (at, box) => box.left + (box.right - box.left) * (points.length < 2 ? 1 : at / (points.length - 1));

function drawLines()
{
	const shown = points.flatMap(point => LINES.map(line => point[line])).filter(ns => ns > 0);
	const low = Math.floor(Math.log10(Math.min(1e3, ...shown))),
	      high = Math.ceil(Math.log10(Math.max(1e5, ...shown)));
	const y = ns =>
	    BOX.bottom - (BOX.bottom - BOX.top) * (Math.log10(Math.max(ns, 10 ** low)) - low) / (high - low);
	const parts = [];
	for (let power = low; power <= high; power++) {
		const at = y(10 ** power);
		parts.push(
		    shape('line', {x1: BOX.left, x2: BOX.right, y1: at, y2: at, class: 'grid'}),
		    shape(
			'text', {x: BOX.left - 8, y: at + 4, class: 'tick end'},
			(10 ** (power - 3)).toLocaleString('en')));
	}
	points.forEach((point, at) => {
		if (at && point.scheduler !== points[at - 1].scheduler)
			parts.push(shape(
			    'line', {x1: xOf(at, BOX), x2: xOf(at, BOX), y1: BOX.top, y2: BOX.bottom, class: 'mark'}));
	});
	LINES.forEach((line, number) => parts.push(shape('polyline', {
		class: `curve l${number}`,
		points: points.map((point, at) => `${xOf(at, BOX).toFixed(1)},${y(point[line]).toFixed(1)}`).join(' ')
	})));
	if (points.length) {
		parts.push(
		    shape('text', {x: BOX.left, y: 290, class: 'tick'}, clock(points[0].at_ns)),
		    shape('text', {x: BOX.right, y: 290, class: 'tick end'}, clock(points.at(-1).at_ns)));
	}
	if (cursor >= 0 && cursor < points.length)
		parts.push(shape(
		    'line', {x1: xOf(cursor, BOX), x2: xOf(cursor, BOX), y1: BOX.top, y2: BOX.bottom, class: 'axis'}));
	$('lines').replaceChildren(...parts);
	const point = points[cursor];
	say('moment',
	    point ? `${clock(point.at_ns)}: p50 ${us(point.p50_ns)}, p99 ${us(point.p99_ns)}, p99.9 ${
			us(point.p999_ns)} us of ${count(point.waits)} waits under ${point.scheduler ?? 'EEVDF'}` :
		    '');
}

// Each column holds the same time; each row is an octave, from 1 us up.
function drawHeat()
{
	const per = Math.ceil(POINTS_MAX / HEAT.columns), rows = points[0]?.octaves.length ?? 0;
	const width = (HEAT.right - HEAT.left) / Math.max(1, Math.ceil(points.length / per)),
	      height = (HEAT.bottom - HEAT.top) / Math.max(1, rows);
	const parts = [];
	for (let column = 0; column * per < points.length; column++) {
		const counts =
		    points.slice(column * per, (column + 1) * per)
			.reduce((sum, point) => sum.map((nr, row) => nr + point.octaves[row]), new Array(rows).fill(0));
		const all = counts.reduce((a, b) => a + b, 0);
		counts.forEach((nr, row) => {
			// From one in 10,000 on, half a decade a shade.
			const shade = nr && Math.max(0, Math.min(6, Math.floor(6 + 1.5 * Math.log10(nr / all))));
			if (nr)
				parts.push(shape('rect', {
					x: HEAT.left + column * width,
					y: HEAT.bottom - (row + 1) * height,
					width,
					height,
					class: `h${shade}`
				}));
		});
	}
	for (let row = 0; row <= rows; row += 5)
		parts.push(shape(
		    'text', {x: HEAT.left - 8, y: HEAT.bottom - row * height + 4, class: 'tick end'},
		    us(row ? 1024 * 2 ** (row - 1) : 0)));
	$('heat').replaceChildren(...parts);
}

function show(live)
{
	say('host', live.host);
	say('lead', `As of ${clock(live.at_ns)}.`);
	document.title = `punctual: ${live.scheduler.scheduler ?? 'EEVDF'}`;
	showTiles(live);
	showTables(live);
	showFacts(live);
	drawLines();
	drawHeat();
}

async function ask(path)
{
	const answer = await fetch(path, {cache: 'no-store', signal: AbortSignal.timeout(5000)});
	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	return answer.json();
}

async function update()
{
	const live = await ask('/api/live');
	intervalMs = live.interval_ns / 1e6;
	answered = true;
	if (live.at_ns === lastAt)
		return;
	const gap = live.at_ns - lastAt;
	lastAt = live.at_ns;
	freshAt = performance.now();
	if (gap > live.interval_ns * 1.5)  // the first time, or the page slept meanwhile
		points = (await ask('/api/history')).points;
	else if (live.latest)
		points = [...points, live.latest].slice(-POINTS_MAX);
	show(live);
}

function markAge()
{
	const oldMs = performance.now() - freshAt;
	const isStale = !isPaused && oldMs > 3 * intervalMs + 2000;
	document.body.classList.toggle('stale', isStale);
	$('stale').hidden = !isStale;
	if (!isStale)
		return;
	say('stale',
	    `${answered ? 'The server answers, but has not measured' : 'No answer from the server'} for ${
		Math.round(oldMs / 1000)} s: what stands here is old.`);
	document.title = 'punctual: no news';
}

async function run()
{
	for (;;) {
		const begun = performance.now();
		if (!isPaused) {
			try {
				await update();
			} catch {
				answered = false;
			}
		}
		markAge();
		await new Promise(
		    done => setTimeout(done, Math.max(100, Math.min(intervalMs, 1000) - (performance.now() - begun))));
	}
}

$('pause').addEventListener('click', () => {
	isPaused = !isPaused;
	freshAt = performance.now();
	$('pause').setAttribute('aria-pressed', isPaused);
	say('pause', isPaused ? 'Go on' : 'Pause');
});
$('lines').addEventListener('keydown', event => {
	const step = {ArrowLeft: -1, ArrowRight: 1, Home: -POINTS_MAX, End: POINTS_MAX}[event.key];
	if (event.key !== 'Escape' && !step)
		return;
	event.preventDefault();
	cursor = step ? Math.max(0, Math.min(points.length - 1, (cursor < 0 ? points.length : cursor) + step)) : -1;
	drawLines();
});
$('lines').addEventListener('pointermove', event => {
	const box = $('lines').getBoundingClientRect();
	const x = (event.clientX - box.left) / box.width * 960;
	cursor = Math.max(
	    0, Math.min(points.length - 1, Math.round((x - BOX.left) / (BOX.right - BOX.left) * (points.length - 1))));
	drawLines();
});
$('lines').addEventListener('pointerleave', () => {
	cursor = -1;
	drawLines();
});
run();
