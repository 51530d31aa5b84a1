// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;
import static megaclass.compute.ComputeBackend.ROW_BLOCK;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
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
  private final RowMatrix rows;
  private final ComputeBackend backend;
  private final int[] drawn;
  private final long[] addresses;
  private final float[] scales;
  private final float[] shifts;
  private MemorySegment logits = MemorySegment.NULL;

  RestOfSoftmax(SelectionProblem problem) {
    this.problem = problem;
    this.rows = problem.weights().matrix();
    this.backend = problem.engine().backend();
    drawn = new int[Math.min(MAX_DRAWS, rows.numRows())];
    int padded = (drawn.length + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    addresses = new long[padded];
    scales = new float[padded];
    shifts = new float[padded];
  }

  /** Draws classes for a step, and scores them with all samples. */
  void draw(Embeddings embeddings, long step) {
    var order = new Permutation(rows.numRows(), Hash.key(problem.seed(), step, DRAWS));
    Arrays.setAll(drawn, i -> (int) order.at(i));
    Arrays.sort(drawn);
    for (int r = 0; r < addresses.length; r++) {
      addresses[r] = rows.address(drawn[Math.min(r, drawn.length - 1)]);
      float unit = problem.normalised() ? backend.inverseNorm(addresses[r], rows.stride()) : 1f;
      scales[r] = unit * (float) problem.scale();
    }
    long panelBytes = 4L * PANEL * addresses.length;
    if (logits.byteSize() < panelBytes * embeddings.numPanels()) {
      logits = NativeMemory.allocate(panelBytes * embeddings.numPanels(), Arena.ofAuto());
    }
    problem
        .engine()
        .workers()
        .run(
            embeddings.numPanels(),
            (panel, _) -> {
              long into = logits.address() + panelBytes * panel;
              int padded = addresses.length;
              backend.logits(addresses, padded, embeddings.panel(panel), embeddings.width(), into);
              backend.scaleAndShift(into, padded, scales, shifts);
            });
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
    return max + Math.log(sum * rows.numRows() / drawn.length);
  }

  private void mark(int classId, boolean[] known) {
    int at = Arrays.binarySearch(drawn, classId);
    if (at >= 0) {
      known[at] = true;
    }
  }

  private float logit(int sample, int row) {
    long panel = (long) (sample / PANEL) * addresses.length;
    return logits.get(JAVA_FLOAT_UNALIGNED, 4 * ((panel + row) * PANEL + sample % PANEL));
  }
}
