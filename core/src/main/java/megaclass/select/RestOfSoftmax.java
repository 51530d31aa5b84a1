// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.compute.NativeMemory;
import megaclass.index.Candidates;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;

/**
 * What the candidates of a sample leave out of its softmax, estimated from the exact logits of a
 * few classes drawn uniformly: each draw that is no candidate stands for N / m classes. Right on
 * average whatever the candidates are (methods: "tail correction"), so that the mass outside is
 * known even where an index finds nothing.
 */
final class RestOfSoftmax {
  private static final long DRAWS = 0x64726177;
  private static final int MAX_DRAWS = 512;

  private final SelectionProblem problem;
  private final int numClasses;
  private final int[] drawn;
  private final LogitTile classes;
  private MemorySegment logits = MemorySegment.NULL;

  RestOfSoftmax(SelectionProblem problem) {
    this.problem = problem;
    numClasses = problem.weights().numClasses();
    drawn = new int[Math.min(MAX_DRAWS, numClasses)];
    classes = new LogitTile(problem, drawn.length);
  }

  /** Draws classes for a step, and scores them with all samples. */
  void draw(Embeddings embeddings, long step) {
    var order = new Permutation(numClasses, Hash.key(problem.seed(), step, DRAWS));
    Arrays.setAll(drawn, i -> (int) order.at(i));
    Arrays.sort(drawn);
    long panelBytes = 4L * PANEL * classes.gather(drawn.length, r -> drawn[r]);
    if (logits.byteSize() < panelBytes * embeddings.numPanels()) {
      logits = NativeMemory.allocate(panelBytes * embeddings.numPanels(), Arena.ofAuto());
    }
    problem
        .engine()
        .workers()
        .run(
            embeddings.numPanels(),
            (panel, _) ->
                classes.score(embeddings.panel(panel), logits.address() + panelBytes * panel));
  }

  /**
   * Estimates the log of the sum of exp(logit) over the classes that are neither the target nor a
   * candidate of a sample; -infinity where all draws are.
   */
  double logSumExp(int sample, int target, Candidates candidates) {
    var known = new boolean[drawn.length];
    mark(target, known);
    for (int i = 0; i < candidates.size(sample); i++) {
      mark(candidates.classId(sample, i), known);
    }
    double max = Double.NEGATIVE_INFINITY;
    for (int r = 0; r < drawn.length; r++) {
      max = known[r] ? max : Math.max(max, logit(sample, r));
    }
    if (max == Double.NEGATIVE_INFINITY) {
      return max;
    }
    double sum = 0;
    for (int r = 0; r < drawn.length; r++) {
      sum += known[r] ? 0 : Math.exp(logit(sample, r) - max);
    }
    return max + Math.log(sum * numClasses / drawn.length);
  }

  private void mark(int classId, boolean[] known) {
    int at = Arrays.binarySearch(drawn, classId);
    if (at >= 0) {
      known[at] = true;
    }
  }

  private float logit(int sample, int row) {
    long panel = (long) (sample / PANEL) * LogitTile.padded(drawn.length);
    return logits.get(JAVA_FLOAT_UNALIGNED, 4 * ((panel + row) * PANEL + sample % PANEL));
  }
}
