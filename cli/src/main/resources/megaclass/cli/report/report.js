'use strict';
// Draws the charts of the report from the facts in the page, again when the colour scheme changes.
(() => {
  const facts = JSON.parse(document.getElementById('facts').textContent);
  const colours = ['#4477aa', '#ee8866', '#44a37a', '#c9b037', '#66b8d9', '#b05c9c', '#8d99a6', '#d65f6a', '#7b6fc4', '#a67f5d', '#5f7f3f'];
  const charts = new Map();

  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const percent = (share, decimals) => (100 * share).toFixed(decimals) + ' %';
  const grouped = number => String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const escape = text => text.replace(/[&<>]/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;'})[c]);

  function bytes(number) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    while (number >= 1024 && unit < units.length - 1) { number /= 1024; unit++; }
    return number.toFixed(number < 10 && unit > 0 ? 1 : 0) + ' ' + units[unit];
  }

  function duration(seconds) {
    if (seconds < 10) return seconds.toFixed(1) + ' s';
    if (seconds < 120) return Math.round(seconds) + ' s';
    if (seconds < 7200) return Math.floor(seconds / 60) + ' m ' + Math.round(seconds % 60) + ' s';
    return Math.floor(seconds / 3600) + ' h ' + Math.round(seconds % 3600 / 60) + ' m';
  }

  // Time axis: seconds up to two minutes, minutes up to two hours, then hours.
  function timeUnit(points) {
    const last = points.length ? points[points.length - 1][0] : 0;
    return last <= 120 ? {name: 's', seconds: 1} : last <= 7200 ? {name: 'min', seconds: 60} : {name: 'h', seconds: 3600};
  }

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
      legend: legend({selectedMode: false}),
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

  // Lines over the time of training.
  function curve(id, series, y, why) {
    const unit = timeUnit(series.flatMap(s => s.points).sort((a, b) => a[0] - b[0]));
    lines(id, series.map(s => ({...s, points: s.points.map(p => [p[0] / unit.seconds, p[1]])})),
        {name: 'time of training, ' + unit.name, axis: {type: 'value', min: 0}, format: value => duration(value * unit.seconds)}, y, why);
  }

  // One bar of parts, a legend with their sizes above it.
  function parts(id, sizes, format, unitName, tick) {
    const names = Object.keys(sizes).filter(name => sizes[name] > 0);
    const sum = names.reduce((s, name) => s + sizes[name], 0);
    draw(id, !names.length, 'Nothing was measured.', () => ({
      grid: {left: 20, right: 36, height: 44, bottom: 40},
      legend: legend({
        selectedMode: false, itemGap: 14,
        formatter: name => name + '  ' + format(sizes[name]) + '  ' + percent(sizes[name] / sum, 0)
      }),
      xAxis: axis(unitName, {type: 'value', max: sum, interval: tick(sum), nameGap: 24, splitLine: {show: false}, axisLabel: {color: colour('--soft'), formatter: format, hideOverlap: true, showMaxLabel: false}}),
      yAxis: {type: 'category', data: [''], axisLine: {show: false}, axisTick: {show: false}},
      series: names.map(name => ({
        type: 'bar', stack: 'all', name, data: [sizes[name]], barWidth: 34,
        tooltip: {valueFormatter: format}
      }))
    }));
  }

  function drawAll() {
    curve('accuracy',
        [{name: 'top-1', points: facts.top1, colour: 0}, {name: 'top-' + (facts.k || 'k'), points: facts.topK, colour: 2}],
        {name: 'share of held-out examples', format: value => percent(value, 1), axis: {max: range => range.max > 0.9 ? 1 : null}},
        'Nothing was evaluated during the run.');
    curve('loss', [{name: 'loss of training batches', points: facts.loss, colour: 1}],
        {name: 'loss, nats', format: value => value.toFixed(2)}, 'The run was too short to report a loss.');
    const unmeasured = 'Nothing was measured: every class was active, or nothing was evaluated during the run.';
    lines('choice',
        [{name: 'gradient cosine', points: facts.gradientCosine, colour: 1}, {name: 'covered mass', points: facts.coveredMass, colour: 0},
          {name: 'recall of the ten best', points: facts.selectionRecall, colour: 2}],
        {name: 'step', axis: {type: 'value', min: 0, max: 'dataMax', axisLabel: {color: colour('--soft'), formatter: grouped, showMaxLabel: false}}, format: step => 'step ' + grouped(step)},
        {name: 'share, or cosine', format: value => value.toFixed(3), axis: {max: 1, axisLabel: {color: colour('--soft'), formatter: value => value.toFixed(2)}}},
        unmeasured);
    lines('mass',
        facts.cumulativeMass.map((curve, i) => ({name: 'at step ' + grouped(curve.step), points: curve.points, colour: [6, 4, 0][i + 3 - facts.cumulativeMass.length]})),
        {name: 'K, classes', axis: {type: 'log', min: 1, max: 'dataMax', axisLabel: {color: colour('--soft'), formatter: grouped}}, format: k => k === 1 ? 'the best class' : 'the ' + grouped(k) + ' best classes'},
        {name: 'probability', format: value => percent(value, 1), axis: {max: 1}},
        unmeasured);
    parts('time', facts.stages, duration, 'time of the run', () => undefined);
    parts('memory', facts.memory, bytes, 'memory', sum => 2 ** Math.floor(Math.log2(sum / 4)));
    draw('deciles', !facts.deciles.length, 'Nothing was held out.', () => ({
      grid: {left: 84, right: 24, top: 16, bottom: 52},
      xAxis: axis('training examples of the class', {type: 'category', data: facts.deciles.map(d => d.range), nameGap: 34, axisLabel: {color: colour('--soft'), interval: 0, hideOverlap: true}}),
      yAxis: axis('top-1', {type: 'value', min: 0, max: 1, nameGap: 62, axisLabel: {color: colour('--soft'), formatter: v => percent(v, 0)}}),
      series: [{
        type: 'bar', name: 'top-1', color: colours[0], barMaxWidth: 60,
        data: facts.deciles.map(d => d.n === 0 ? {value: 0, label: {formatter: 'none', position: 'top', color: colour('--soft')}} : {
          value: d.top1,
          label: d.top1 < 0.1 ? {position: 'top', color: colour('--text')} : {position: 'insideBottom', color: '#ffffff'}
        }),
        label: {show: true, formatter: i => percent(i.value, 1)},
        labelLayout: {hideOverlap: true},
        markLine: {
          symbol: 'none', silent: true, lineStyle: {color: colours[1], width: 1.5},
          label: {show: false}, data: [{yAxis: facts.overall}]
        },
        tooltip: {formatter: i => percent(facts.deciles[i.dataIndex].top1, 2) + ' of ' + grouped(facts.deciles[i.dataIndex].n) + ' examples'}
      }]
    }));
  }

  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  addEventListener('resize', () => charts.forEach(chart => chart.resize()));
})();
