// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static megaclass.cli.text.Quantity.count;
import static megaclass.cli.text.Quantity.decimal;
import static megaclass.cli.text.Quantity.duration;
import static megaclass.cli.text.Quantity.percent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import megaclass.openset.EmbeddingSet;
import megaclass.openset.Estimate;
import megaclass.openset.FewShot;
import megaclass.openset.Identification;
import megaclass.openset.Retrieval;
import megaclass.openset.Verification;

/** What is said about embeddings that were measured on classes a model need not know. */
public final class OpenSetMessage {
  /** Below the column of words that start a line. */
  private static final String INDENT = "\n          ";

  private OpenSetMessage() {}

  /** The message of embeddings that were made. */
  public static Message embedded(EmbeddingSet set, double seconds) {
    long classes = Arrays.stream(set.classIds()).distinct().count();
    var fields = new LinkedHashMap<String, Object>();
    fields.put("examples", set.size());
    fields.put("classes", classes);
    fields.put("dim", set.dim());
    fields.put("seconds", seconds);
    return new Message(
        "embedded",
        fields,
        "embedded  %s examples   %s classes   dim %d   in %s"
            .formatted(count(set.size()), count(classes), set.dim(), duration(seconds)));
  }

  /** The message of a verification, without its notable pairs, which need names. */
  public static Message of(Verification verification) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("samePairs", verification.samePairs());
    fields.put("differentPairs", verification.differentPairs());
    put(fields, "equalErrorRate", verification.equalErrorRate());
    put(fields, "area", verification.area());
    fields.put(
        "operatingPoints",
        verification.operatingPoints().stream().map(OpenSetMessage::fields).toList());
    verification.accuracy().ifPresent(accuracy -> fields.put("accuracy", fields(accuracy)));
    fields.put(
        "curve",
        verification.curve().stream()
            .map(p -> List.of(p.falseAcceptRate(), p.trueAcceptRate(), p.threshold()))
            .toList());
    fields.put("sameScores", verification.histogram().same());
    fields.put("differentScores", verification.histogram().different());
    return new Message("verification", fields, text(verification));
  }

  private static Map<String, Object> fields(Verification.OperatingPoint point) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("falseAcceptRate", point.falseAcceptRate());
    put(fields, "trueAcceptRate", point.trueAcceptRate());
    put(fields, "threshold", point.threshold());
    return fields;
  }

  private static Map<String, Object> fields(Verification.Accuracy accuracy) {
    return Map.of(
        "mean",
        accuracy.mean(),
        "deviation",
        accuracy.deviation(),
        "threshold",
        accuracy.threshold());
  }

  private static String text(Verification verification) {
    var lines = new ArrayList<String>();
    lines.add(
        "EER %s   AUC %s   %s same and %s different pairs"
            .formatted(
                text(verification.equalErrorRate()),
                text(verification.area()),
                count(verification.samePairs()),
                count(verification.differentPairs())));
    for (var point : verification.operatingPoints()) {
      if (!Double.isNaN(point.trueAcceptRate().value())) {
        lines.add(
            "TAR %s at FAR %.0e".formatted(text(point.trueAcceptRate()), point.falseAcceptRate()));
      }
    }
    verification.accuracy().map(OpenSetMessage::text).ifPresent(lines::add);
    return "verify    " + String.join(INDENT, lines);
  }

  private static String text(Verification.Accuracy accuracy) {
    return "accuracy %s +- %s over ten folds, threshold %s"
        .formatted(
            percent(accuracy.mean(), 2),
            decimal(100 * accuracy.deviation(), 2),
            decimal(accuracy.threshold(), 3));
  }

  /** The message of an identification. */
  public static Message of(Identification identification) {
    var sizes = new ArrayList<Map<String, Object>>();
    var lines = new ArrayList<String>();
    for (var size : identification.sizes()) {
      var fields = new LinkedHashMap<String, Object>();
      fields.put("distractors", size.distractors());
      size.ranks().forEach(rank -> put(fields, "rank" + rank.rank(), rank.rate()));
      fields.put("curve", size.curve());
      sizes.add(fields);
      lines.add(
          "rank-1 %s among %s distractors"
              .formatted(text(size.ranks().getFirst().rate()), count(size.distractors())));
    }
    lines.set(0, lines.getFirst() + "   " + count(identification.trials()) + " trials");
    return new Message(
        "identification",
        Map.of("trials", identification.trials(), "sizes", sizes),
        "identify  " + String.join(INDENT, lines));
  }

  /** The message of episodes. */
  public static Message of(FewShot fewShot) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("ways", fewShot.ways());
    fields.put("shots", fewShot.shots());
    fields.put("episodes", fewShot.episodes());
    put(fields, "accuracy", fewShot.accuracy());
    return new Message(
        "fewShot",
        fields,
        "few-shot  %d-way %d-shot %s   %s episodes"
            .formatted(
                fewShot.ways(),
                fewShot.shots(),
                text(fewShot.accuracy()),
                count(fewShot.episodes())));
  }

  /** The message of a retrieval. */
  public static Message of(Retrieval retrieval) {
    var fields = new LinkedHashMap<String, Object>();
    var recall = new StringBuilder();
    fields.put("queries", retrieval.queries());
    for (var at : retrieval.recall()) {
      put(fields, "recallAt" + at.k(), at.share());
      recall.append("   recall@%d %s".formatted(at.k(), text(at.share())));
    }
    put(fields, "precisionAtR", retrieval.precisionAtR());
    put(fields, "meanAveragePrecisionAtR", retrieval.meanAveragePrecisionAtR());
    return new Message(
        "retrieval",
        fields,
        "retrieve  mAP@R %s   R-precision %s   %s queries"
                .formatted(
                    text(retrieval.meanAveragePrecisionAtR()),
                    text(retrieval.precisionAtR()),
                    count(retrieval.queries()))
            + INDENT
            + recall.toString().strip());
  }

  /** A number that is not there is left out: JSON has no NaN. */
  private static void put(Map<String, Object> fields, String name, double value) {
    if (!Double.isNaN(value)) {
      fields.put(name, value);
    }
  }

  private static void put(Map<String, Object> fields, String name, Estimate estimate) {
    put(fields, name, estimate.value());
    put(fields, name + "Low", estimate.low());
    put(fields, name + "High", estimate.high());
  }

  /** In percent, with its interval: {@code 91.20 % [90.11, 92.02]}. */
  private static String text(Estimate estimate) {
    return percent(estimate.value(), 2)
        + Optional.of(estimate)
            .filter(e -> !Double.isNaN(e.low()))
            .map(e -> " [%s, %s]".formatted(decimal(100 * e.low(), 2), decimal(100 * e.high(), 2)))
            .orElse("");
  }
}
