// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import megaclass.index.BinaryIvf;
import megaclass.index.Candidates;
import megaclass.index.IndexedRows;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The estimate of what candidates leave out, beside sums over all classes. */
class RestOfSoftmaxTest {
  /** Up to 512 classes are all drawn, so that nothing is left to chance; with more, the mean is. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1e-5", "70, 1, 1e-5", "512, 1, 1e-5", "1500, 400, 0.01"})
  void onAverageItIsTheSumOverAllOtherClasses(int numClasses, int steps, double tolerance) {
    try (var problem = Problem.random(numClasses, 20, 67, 3)) {
      var of =
          new SelectionProblem(problem.weights, true, 4, problem.targets.length, 5, problem.engine);
      var candidates = candidates(of, problem, Math.min(9, numClasses));
      var rest = new RestOfSoftmax(of);
      int last = problem.targets.length - 1; // in the second panel
      for (int sample : new int[] {0, last}) {
        double mean = 0;
        for (int step = 0; step < steps; step++) {
          rest.draw(problem.embeddings, step);
          mean += Math.exp(rest.logSumExp(sample, problem.targets[sample], candidates)) / steps;
        }
        double expected = expected(problem, sample, candidates);
        assertEquals(expected, mean, tolerance * Math.max(1, expected));
      }
    }
  }

  private static Candidates candidates(SelectionProblem of, Problem problem, int count) {
    var found = new Candidates(problem.targets.length);
    var rows = new IndexedRows(problem.weights.matrix(), true, problem.engine.backend());
    var settings = new BinaryIvf.Settings(1, 1, count, 1, BinaryIvf.Code.RABITQ);
    try (var index = new BinaryIvf(rows, settings, 1, of.engine())) {
      index.build();
      index.search(problem.embeddings, 1, found);
    }
    return found;
  }

  private static double expected(Problem problem, int sample, Candidates candidates) {
    double sum = 0;
    for (int c = 0; c < problem.weights.numClasses(); c++) {
      int classId = c;
      boolean known =
          c == problem.targets[sample]
              || IntStream.range(0, candidates.size(sample))
                  .anyMatch(i -> candidates.classId(sample, i) == classId);
      if (!known) {
        double squares = 0;
        double product = 0;
        float[] weight = problem.weight(c);
        for (int j = 0; j < weight.length; j++) {
          squares += (double) weight[j] * weight[j];
          product += (double) weight[j] * problem.features[sample][j];
        }
        sum += Math.exp(4 * product / Math.sqrt(squares));
      }
    }
    return sum;
  }
}
