// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static megaclass.cli.text.Quantity.count;
import static megaclass.cli.text.Quantity.decimal;
import static megaclass.cli.text.Quantity.duration;
import static megaclass.cli.text.Quantity.percent;

import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.eval.ClassSearch;
import megaclass.eval.Evaluation;

/** What is said about an evaluation, during a run and by itself. */
public final class EvaluationMessage {
  private EvaluationMessage() {}

  /**
   * The message of an evaluation that is not part of a run's curve: with its uncertainty when it
   * saw a sample.
   *
   * @param heldOut how many examples there are
   */
  public static Message of(Evaluation evaluation, long heldOut) {
    if (evaluation.examples() == heldOut) {
      return new Message("tested", fields(evaluation), text(evaluation, ""));
    }
    double uncertainty = evaluation.top1Uncertainty();
    var fields = fields(evaluation);
    fields.put("top1Uncertainty", uncertainty);
    return new Message("tested", fields, text(evaluation, " +- " + decimal(100 * uncertainty, 2)));
  }

  /** The message of how the best classes are looked for. */
  public static Message of(ClassSearch search) {
    var fields = new LinkedHashMap<String, Object>();
    switch (search) {
      case ClassSearch.Exact exact -> fields.put("allClassesBecause", exact.reason());
      case ClassSearch.Indexed indexed -> {
        fields.put("numProbes", indexed.numProbes());
        fields.put("numLists", indexed.numLists());
        fields.put("numCandidates", indexed.numCandidates());
        fields.put("recall", indexed.recall());
        fields.put("k", indexed.k());
        fields.put("samples", indexed.samples());
        fields.put("buildSeconds", indexed.buildSeconds());
        fields.put("measureSeconds", indexed.measureSeconds());
      }
    }
    return new Message("searched", fields, "search    " + search);
  }

  /** The facts of an evaluation. */
  static Map<String, Object> fields(Evaluation evaluation) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("examples", evaluation.examples());
    fields.put("top1", evaluation.top1());
    fields.put("k", evaluation.k());
    fields.put("topK", evaluation.topK());
    evaluation.meanLoss().ifPresent(loss -> fields.put("meanLoss", loss));
    fields.put("evaluationSeconds", evaluation.seconds());
    fields.put(
        "frequencyDeciles",
        evaluation.frequencyDeciles().stream().map(EvaluationMessage::fields).toList());
    return fields;
  }

  private static Map<String, Object> fields(Evaluation.FrequencyDecile decile) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("minCount", decile.minCount());
    fields.put("maxCount", decile.maxCount());
    fields.put("examples", decile.examples());
    if (decile.examples() > 0) {
      fields.put("top1", decile.top1());
    }
    return fields;
  }

  /** An evaluation in a line. */
  static String text(Evaluation evaluation) {
    return text(evaluation, "");
  }

  private static String text(Evaluation evaluation, String uncertainty) {
    String loss =
        evaluation.meanLoss().isPresent() ? decimal(evaluation.meanLoss().getAsDouble(), 4) : "-";
    return "test      top-1 %s%s   top-%d %s   loss %s   %s examples in %s"
        .formatted(
            percent(evaluation.top1(), 2),
            uncertainty,
            evaluation.k(),
            percent(evaluation.topK(), 2),
            loss,
            count(evaluation.examples()),
            duration(evaluation.seconds()));
  }
}
