'use strict';
// Draws the charts of a run's report from the facts in the page.
(() => {
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

  drawNowAndLater(drawAll);
})();
