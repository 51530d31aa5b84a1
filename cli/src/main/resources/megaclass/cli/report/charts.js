'use strict';
// What the charts of all reports are drawn with.
const facts = JSON.parse(document.getElementById('facts').textContent);
const colours = ['#4477aa', '#ee8866', '#44a37a', '#c9b037', '#66b8d9', '#b05c9c', '#8d99a6', '#d65f6a', '#7b6fc4', '#a67f5d', '#5f7f3f'];
const charts = new Map();

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const percent = (share, decimals) => (100 * share).toFixed(decimals) + ' %';
const grouped = number => String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const escape = text => text.replace(/[&<>]/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;'})[c]);

function draw(id, isEmpty, why, option) {
  const place = document.getElementById(id);
  if (isEmpty) {
    place.className = 'chart none';
    place.textContent = why;
    return;
  }
  if (!charts.has(id)) charts.set(id, echarts.init(place, null, {renderer: 'svg'}));
  charts.get(id).setOption({
    animation: false,
    color: colours,
    textStyle: {color: colour('--text'), fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'},
    tooltip: {confine: true, backgroundColor: colour('--panel'), borderColor: colour('--line'), textStyle: {color: colour('--text')}},
    ...option()
  }, true);
}

const axis = (name, more) => ({
  name,
  nameLocation: 'middle',
  nameTextStyle: {color: colour('--soft')},
  axisLine: {lineStyle: {color: colour('--line')}},
  axisTick: {lineStyle: {color: colour('--line')}},
  axisLabel: {color: colour('--soft')},
  splitLine: {lineStyle: {color: colour('--line')}},
  ...more
});

const legend = more => ({top: 0, left: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 12, textStyle: {color: colour('--text')}, ...more});

// Lines over an axis: x says its name, its kind and how a value reads; y its name, format and ends.
function lines(id, series, x, y, why) {
  draw(id, !series.some(s => s.points.length), why, () => ({
    grid: {left: 84, right: 24, top: 36, bottom: 44},
    legend: legend({type: 'scroll', selectedMode: false}),
    xAxis: axis(x.name, {nameGap: 28, splitLine: {show: false}, ...x.axis}),
    yAxis: axis(y.name, {type: 'value', scale: true, nameGap: 62, axisLabel: {color: colour('--soft'), formatter: y.format, hideOverlap: true}, ...y.axis}),
    series: series.map(s => ({
      type: 'line', name: s.name, color: colours[s.colour], data: s.points,
      showSymbol: s.points.length < 40, symbolSize: 5, lineStyle: {width: 2}
    })),
    tooltip: {
      trigger: 'axis', confine: true, backgroundColor: colour('--panel'), borderColor: colour('--line'), textStyle: {color: colour('--text')},
      formatter: items => x.format(items[0].value[0]) + '<br>' +
          items.map(i => i.marker + escape(i.seriesName) + ' <b>' + y.format(i.value[1]) + '</b>').join('<br>')
    }
  }));
}

// Draws now, and again when the colour scheme changes.
function drawNowAndLater(drawAll) {
  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  addEventListener('resize', () => charts.forEach(chart => chart.resize()));
}
