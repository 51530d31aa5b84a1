// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import megaclass.cli.text.Json;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final String STARTED =
      """
      {"event":"started","megaclass":"0.1.0","run":"runs/<b>","started":"2026-01-02T03:04:05Z",
      "command":"megaclass train 'a&b.toml'","seed":42,
      "train":{"file":"t.mcd","examples":4205076,"classes":315689,"kind":"text","featureDim":0},
      "test":{"file":"e.mcd","examples":463549,"classes":315689,"kind":"text","featureDim":0},
      "settings":{"loss":"normsoftmax(scale=32)"},"compute":"vector 512 bit","threads":2,
      "memory":{"class weights":1048576,"token table":3145728},"memoryLimit":17179869184,
      "stepsPerEpoch":100,"hardware":{"processor":"A </script> processor"}}\
      """;
  private static final String PROGRESS =
      """
      {"event":"progress","step":100,"epoch":1.0,"loss":2.5,"seconds":100.0}\
      """;
  private static final String FINISHED =
      """
      {"event":"finished","step":100,"seconds":312.0,"stageSeconds":{"loss":200.0,"update":112.0}}\
      """;
  private static final String TESTED =
      """
      {"event":"tested","examples":463549,"top1":0.9612,"k":5,"topK":0.9953,"meanLoss":0.2134,
      "frequencyDeciles":[{"minCount":1,"maxCount":1,"examples":0},
      {"minCount":1,"maxCount":3,"examples":9000,"top1":0.5}]}\
      """;

  @Test
  void theFirstScreenHasNumbersSettingsHardwareAndCommand() {
    var html = html(STARTED, PROGRESS, FINISHED, TESTED);
    for (var text :
        List.of(
            "96.12 %",
            "99.53 %",
            "5 m 12 s",
            "42&#8239;051",
            "<strong>315&#8239;689</strong><span>classes</span>",
            "normsoftmax(scale=32)",
            "vector 512 bit",
            "megaclass train 'a&amp;b.toml'",
            "4&#8239;205&#8239;076",
            "2026-01-02 03:04:05 UTC")) {
      assertTrue(html.contains(text), text);
    }
  }

  @Test
  void eachPlotAnswersTheQuestionInItsTitle() {
    var html = html(STARTED, PROGRESS, FINISHED, TESTED);
    var titles =
        Pattern.compile("<h2>([^<]*\\?)</h2>")
            .matcher(html)
            .results()
            .map(m -> m.group(1))
            .toList();
    assertEquals(
        List.of(
            "Does it learn?",
            "Are the right classes chosen?",
            "How few classes hold the probability?",
            "Where does the time go?",
            "Who is left behind?",
            "Does it fit?"),
        titles);
    assertTrue(html.contains("<td>1–3</td><td>9000</td><td>50.00 %</td>"));
    assertTrue(html.contains("<td>1</td><td>0</td><td>-</td>"));
    assertTrue(html.contains("4 MiB of the 16 GiB there were"));
  }

  @Test
  void theChoiceOfClassesIsShownOverTheRunAndItsCurvesAtThreeSteps() {
    var html =
        html(STARTED, PROGRESS, chosen(0), chosen(10), chosen(20), chosen(30), FINISHED, TESTED);
    assertTrue(
        html.contains(
            "A step chose 3157 of 315&#8239;689 classes, 6.2 for each sample; 64 samples were"
                + " looked at."));
    assertTrue(
        html.contains(
            "<td>10</td><td>85.29 %</td><td>57.2 %</td><td>-0.235</td><td>0.973</td>"
                + "<td>0.215</td><td>500</td><td>1.2 %</td>"));
    assertTrue(
        html.contains("\"gradientCosine\":[[0.0,0.973],[10.0,0.973],[20.0,0.973],[30.0,0.973]]"));
    var steps =
        Pattern.compile("\"points\":\\[\\[1.0,0.5\\],\\[10.0,0.75\\]\\]")
            .matcher(html)
            .results()
            .count();
    assertEquals(3, steps);
    assertTrue(html.contains("<tr><td>30</td><td>50.0 %</td><td>75.0 %</td></tr>"));
    assertFalse(html.contains("<tr><td>20</td><td>50.0 %</td>"));
  }

  @Test
  void aRunOnAllClassesHasNoChoiceToShow() {
    var html = html(STARTED, PROGRESS, FINISHED, TESTED);
    assertTrue(html.contains("\"gradientCosine\":[],\"cumulativeMass\":[]"));
    assertFalse(html.contains("A step chose"));
  }

  private static String chosen(int step) {
    return """
    {"event":"selection","step":%d,"samples":64,"numActive":3157,"classesPerSample":6.166,
    "coveredMass":0.8529,"selectionRecall":0.572,"logZBias":-0.235,"gradientCosine":0.973,
    "gradientError":0.215,"cumulativeMass":{"1":0.5,"10":0.75},"indexAge":500,"drift":0.012}\
    """
        .formatted(step);
  }

  @Test
  void nothingIsLoadedFromElsewhere() {
    var html = html(STARTED, PROGRESS, FINISHED, TESTED);
    var markup = html.replaceAll("(?s)<script>.*?</script>", "");
    for (var loading : List.of(" src=", "<link", "@import", "url(", "href=")) {
      assertFalse(markup.contains(loading), loading);
    }
  }

  @Test
  void textsOfARunAreNeverMarkup() {
    var html = html(STARTED, PROGRESS, FINISHED, TESTED);
    assertTrue(html.contains("<h1>runs/&lt;b&gt;</h1>"));
    assertTrue(html.contains("A &lt;/script&gt; processor"));
    assertFalse(html.contains("A </script>"));
    assertFalse(html.contains("{{"), "a place is not filled in");
  }

  @Test
  void aRunWithoutTestExamplesHasAReportToo() {
    var html = html(STARTED, FINISHED);
    assertFalse(html.contains("top-1 on held-out examples</span>"));
    assertTrue(html.contains("\"deciles\":[]"));
  }

  private static String html(String... lines) {
    var metrics = new ArrayList<Map<String, Object>>();
    for (var line : lines) {
      metrics.add(Json.parse(line));
    }
    return Report.html(metrics);
  }
}
