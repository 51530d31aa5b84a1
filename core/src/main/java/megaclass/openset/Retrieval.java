// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How well the items nearest to an item are those of its class, as defined by "A Metric Learning
 * Reality Check" (Musgrave, Belongie and Lim 2020). Each item of a class with others is a query
 * against all other items; R is the number of others of its class. An item of another class that
 * scores as high as one of the query's class counts as nearer.
 *
 * @param queries how many there are
 * @param recall share of queries with an item of their class among the k nearest; for k 1, 5, 10
 * @param precisionAtR mean over queries of the share of the R nearest that are of the class
 * @param meanAveragePrecisionAtR mean over queries of 1/R times the sum, over those of the R
 *     nearest that are of the class, of the precision up to there: mAP@R
 */
public record Retrieval(
    long queries, List<RecallAt> recall, Estimate precisionAtR, Estimate meanAveragePrecisionAtR) {
  private static final List<Integer> KS = List.of(1, 5, 10);

  /** Share of queries with an item of their class among the k nearest. */
  public record RecallAt(int k, Estimate share) {}

  /**
   * Ranks all other items for each item of a class with others.
   *
   * @throws IllegalArgumentException when no class has two items
   */
  public static Retrieval of(EmbeddingSet set, Bootstrap bootstrap) {
    var ranks = new MateRanks(set, KS.getLast());
    int[] queries = ranks.queries();
    if (queries.length == 0) {
      throw new IllegalArgumentException(
          "retrieval takes a class with two examples, but every class has one");
    }
    double[][] values = new double[KS.size() + 2][queries.length];
    ranks.forEach(
        (query, found) -> {
          for (int i = 0; i < KS.size(); i++) {
            values[i][query] = found[0] <= KS.get(i) ? 1 : 0;
          }
          int within = 0;
          double precisions = 0;
          for (int m = 0; m < found.length && found[m] <= found.length; m++) {
            within++;
            precisions += (m + 1.0) / found[m];
          }
          values[KS.size()][query] = (double) within / found.length;
          values[KS.size() + 1][query] = precisions / found.length;
        });
    int[] classIds = Arrays.stream(queries).map(set::classId).toArray();
    var estimates = bootstrap.means(classIds, values, set.engine());
    var recall = new ArrayList<RecallAt>();
    for (int i = 0; i < KS.size(); i++) {
      recall.add(new RecallAt(KS.get(i), estimates[i]));
    }
    return new Retrieval(
        queries.length, List.copyOf(recall), estimates[KS.size()], estimates[KS.size() + 1]);
  }
}
