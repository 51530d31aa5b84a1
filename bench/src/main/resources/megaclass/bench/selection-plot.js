'use strict';
// Draws measurements as points over the time that they took; those of one series are joined.
const setTimeout = () => 0; // the chart library asks for it, and nothing here is animated

function draw(facts) {
  const colours = ['#222222', '#4477aa', '#ee8866', '#44a37a', '#c9b037', '#66b8d9', '#b05c9c', '#8d99a6', '#d65f6a', '#7b6fc4'];
  const chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: 860, height: 500});
  chart.setOption({
    animation: false,
    color: colours,
    backgroundColor: '#ffffff',
    title: {text: facts.title, left: 12, top: 8, textStyle: {fontSize: 15, fontWeight: 'normal'}},
    legend: {top: 36, left: 12, right: 12},
    grid: {left: 64, right: 24, top: 120, bottom: 52},
    xAxis: {type: 'log', name: facts.x, nameLocation: 'middle', nameGap: 30, logBase: 2},
    yAxis: {type: 'value', name: facts.y, nameLocation: 'middle', nameGap: 42, scale: true},
    series: facts.series.map((one, index) => ({
      type: 'line',
      name: one.name,
      // Colours repeat; the shape then tells series apart.
      symbol: one.name.startsWith('all') ? 'diamond' : index < colours.length ? 'circle' : 'triangle',
      symbolSize: one.name.startsWith('all') ? 16 : 8,
      data: one.points.slice().sort((a, b) => a[0] - b[0]).map(point => ({
        value: [point[0], point[1]],
        label: {show: true, position: 'top', fontSize: 10, formatter: point[2]}
      }))
    }))
  });
  return chart.renderToSVGString();
}
