// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;

/**
 * The choice of another selector for each of several groups of similar samples (methods: "sample
 * grouping"): with as many classes for a group as else for the batch, a sample competes with
 * numGroups times as many of its own, and the logits cost the same.
 */
final class GroupedClasses extends AddedSelector {
  private final int numGroups;
  private final ComputeBackend backend;
  private final Embeddings group;

  /**
   * Cuts batches.
   *
   * @param base selects for a group
   */
  static GroupedClasses of(SelectorSpec base, int numGroups, SelectionProblem problem) {
    int largest = Math.ceilDiv(problem.batchSize(), numGroups);
    var selector = ClassSelector.of(base, problem.withBatchSize(largest));
    return new GroupedClasses(selector, numGroups, problem, largest);
  }

  private GroupedClasses(ClassSelector base, int numGroups, SelectionProblem problem, int largest) {
    super(base);
    this.numGroups = numGroups;
    this.backend = problem.engine().backend();
    int dim = problem.weights().dim();
    boolean bias = problem.weights().matrix().width() > dim;
    group =
        new Embeddings(
            largest, new Embeddings.Shape(dim, problem.normalised(), bias), problem.engine());
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    int[][] samples = ClassSelector.cut(embeddings, numGroups, backend);
    List<ActiveClasses.Group> groups = new ArrayList<>();
    for (int g = 0; g < samples.length; g++) {
      group.gather(embeddings, samples[g]);
      int[] own = Arrays.stream(samples[g]).map(i -> targets[i]).toArray();
      ActiveClasses active = base.select(group, own, draw * numGroups + g);
      groups.add(new ActiveClasses.Group(samples[g], active));
    }
    return ActiveClasses.ofGroups(groups, targets);
  }

  @Override
  public void close() {
    group.close();
    super.close();
  }
}
