// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.loss.Loss;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Scores, ranks and log Z against loops in double over all classes, for odd sizes. */
class ClassScorerTest {
  /** Sizes of one problem. */
  record Sizes(int numClasses, int dim, int numExamples, int k) {}

  private static final List<Sizes> SIZES =
      List.of(
          new Sizes(1, 1, 1, 1),
          new Sizes(1, 3, 5, 4),
          new Sizes(3, 17, 65, 5),
          new Sizes(127, 16, 63, 1),
          new Sizes(129, 33, 130, 7),
          new Sizes(515, 5, 300, 20));

  private static final List<String> LOSSES =
      List.of("softmax", "softmax(bias=true)", "normsoftmax(scale=16)", "arcface(scale=64)");

  static Stream<Object[]> problems() {
    return SIZES.stream()
        .flatMap(
            sizes ->
                LOSSES.stream()
                    .flatMap(
                        loss ->
                            Stream.of(1, 3).map(threads -> new Object[] {sizes, loss, threads})));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void theBestClassesAndLogZAreThoseOfALoopOverAllClasses(Sizes sizes, String loss, int threads) {
    var random = new SplittableRandom(sizes.hashCode());
    var model = new SmallModel(Loss.parse(loss), random, sizes.numClasses(), sizes.dim(), false);
    float[][] features = SmallModel.matrix(random, sizes.numExamples(), sizes.dim(), false);
    model.score(
        features,
        sizes.k(),
        threads,
        (batch, embeddings, scorer) -> {
          int k = Math.min(sizes.k(), sizes.numClasses());
          assertEquals(k, scorer.k());
          for (int i = 0; i < batch.size(); i++) {
            double[] logits = model.logits(features[(int) batch.example(i)]);
            double tolerance = 3e-6 * (model.loss().scale() + sizes.dim());
            assertEquals(SmallModel.logSumExp(logits), scorer.logSumExp(i), tolerance);
            double[] best = DoubleStream.of(logits).sorted().toArray();
            var kept = new HashSet<Integer>();
            assertEquals(k, scorer.size(i));
            for (int rank = 0; rank < k; rank++) {
              int classId = scorer.classId(i, rank);
              kept.add(classId);
              assertEquals(best[best.length - 1 - rank], scorer.logit(i, rank), tolerance);
              assertEquals(logits[classId], scorer.logit(i, rank), tolerance);
              assertEquals(logits[classId], scorer.logitOf(embeddings, i, classId, 0), tolerance);
            }
            assertEquals(k, kept.size(), "a class is kept once");
          }
        });
  }

  /** Inner products of small integers are exact; cosines are not. */
  static Stream<Object[]> exactProblems() {
    return problems().filter(problem -> !Loss.parse((String) problem[1]).normalised());
  }

  @ParameterizedTest
  @MethodSource("exactProblems")
  void amongEqualScoresTheSmallerClassIdComesFirst(Sizes sizes, String loss, int threads) {
    var random = new SplittableRandom(sizes.hashCode());
    var model = new SmallModel(Loss.parse(loss), random, sizes.numClasses(), sizes.dim(), true);
    float[][] features = SmallModel.matrix(random, sizes.numExamples(), sizes.dim(), true);
    model.score(
        features,
        sizes.k(),
        threads,
        (batch, _, scorer) -> {
          for (int i = 0; i < batch.size(); i++) {
            double[] logits = model.logits(features[(int) batch.example(i)]);
            var ranked =
                IntStream.range(0, logits.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer c) -> -logits[c]))
                    .limit(sizes.k())
                    .toList();
            int sample = i;
            assertEquals(
                ranked,
                IntStream.range(0, scorer.size(i))
                    .mapToObj(rank -> scorer.classId(sample, rank))
                    .toList());
          }
        });
  }
}
