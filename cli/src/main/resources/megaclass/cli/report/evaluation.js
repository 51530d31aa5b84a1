'use strict';
// Draws the charts of measured embeddings from the facts in the page.
(() => {
  const verification = facts.verification || {curve: [], sameScores: [], differentScores: []};
  const sizes = facts.identification ? facts.identification.sizes : [];
  const share = {name: 'share', format: value => percent(value, 1), axis: {max: range => range.max > 0.9 ? 1 : null, axisLabel: {color: colour('--soft'), formatter: value => percent(value, 0)}}};
  const power = value => value === 1 ? '1' : '1e' + Math.round(Math.log10(value));

  // Shares of all pairs of a kind, by the middle of a cell.
  function histogram(counts) {
    const sum = counts.reduce((s, n) => s + n, 0);
    const used = counts.map((n, i) => [(2 * i + 1) / counts.length - 1, n / sum]);
    const first = used.findIndex(p => p[1] > 0);
    const last = used.findLastIndex(p => p[1] > 0);
    return sum ? used.slice(Math.max(0, first - 1), last + 2) : [];
  }

  function drawAll() {
    lines('roc', [{name: 'true accept rate', points: verification.curve.filter(p => p[0] > 0).map(p => [p[0], p[1]]), colour: 0}],
        {name: 'false accept rate', axis: {type: 'log', max: 1, axisLabel: {color: colour('--soft'), formatter: power}}, format: far => 'FAR ' + far.toExponential(1)},
        {...share, name: 'true accept rate'}, 'No pair of different classes scores as high as one of one class.');
    lines('scores', [{name: 'one class', points: histogram(verification.sameScores), colour: 2}, {name: 'different classes', points: histogram(verification.differentScores), colour: 1}],
        {name: 'score (cosine)', axis: {type: 'value', min: 'dataMin', max: 'dataMax', axisLabel: {color: colour('--soft'), formatter: value => value.toFixed(1), showMinLabel: false, showMaxLabel: false}}, format: score => 'score ' + score.toFixed(2)},
        {...share, name: 'share of pairs', axis: {min: 0, axisLabel: {color: colour('--soft'), formatter: value => percent(value, 0)}}}, 'No pairs.');
    lines('cmc', sizes.map((size, i) => ({name: grouped(size.distractors) + ' distractors', points: size.curve.map((rate, r) => [r + 1, rate]), colour: i})),
        {name: 'rank K', axis: {type: 'log', min: 1, max: 100}, format: rank => 'rank ' + rank}, {...share, name: 'share of trials'}, 'No trials.');
    lines('crowd', [{name: 'rank 1', points: sizes.map(size => [size.distractors, size.rank1]), colour: 0}],
        {name: 'distractors', axis: {type: 'log', axisLabel: {color: colour('--soft'), formatter: grouped}}, format: number => grouped(number) + ' distractors'}, {...share, name: 'share of trials'}, 'No trials.');
  }

  drawNowAndLater(drawAll);
})();
