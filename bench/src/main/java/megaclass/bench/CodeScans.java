// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.CodeMemory.NUM_BLOCKS;
import static megaclass.bench.CodeMemory.NUM_CODES;
import static megaclass.bench.CodeMemory.NUM_QUERIES;
import static megaclass.bench.KernelMemory.NUM_ROWS;

import java.lang.foreign.MemorySegment;
import java.util.List;
import megaclass.bench.Kernel.Body;
import megaclass.compute.CodeKernels;
import megaclass.compute.ComputeBackend;

/** The kernels of sign codes, on a tile of codes in the cache; 1 / rate of a scan is ns a code. */
final class CodeScans {
  private static final String ROWS = "M rows/s";
  private static final String CODES = "G codes/s";
  private static final double ROWS_PER_M = 1e-6;

  private CodeScans() {}

  static List<Kernel> all() {
    return List.of(
        new Kernel(
            "rotation and signs",
            ROWS,
            _ -> NUM_ROWS * ROWS_PER_M * 1e9,
            Peaks.FMA,
            m -> 2.0 * NUM_ROWS * m.codes.rotation.operations(),
            CodeScans::sign,
            m -> m.codes.rotated),
        distances("code distances, 1 query", 1),
        distances("code distances, 4 queries", NUM_QUERIES),
        estimates("code estimates, 1 query", 1),
        estimates("code estimates, 4 queries", NUM_QUERIES),
        new Kernel(
            "estimates above a threshold",
            CODES,
            _ -> NUM_CODES,
            "",
            _ -> 0,
            CodeScans::select,
            m -> CodeMemory.asFloats(m.codes.found)));
  }

  private static Kernel distances(String name, int numQueries) {
    Body body =
        (backend, m) ->
            backend
                .codes()
                .distances(
                    m.codes.signs,
                    numQueries,
                    m.codes.codes,
                    NUM_BLOCKS,
                    m.codes.words,
                    m.codes.distances);
    return new Kernel(
        name,
        CODES,
        _ -> (double) numQueries * NUM_CODES,
        Peaks.COUNT,
        m -> (double) numQueries * NUM_CODES * m.codes.words,
        body,
        m -> CodeMemory.asFloats(m.codes.distances));
  }

  private static Kernel estimates(String name, int numQueries) {
    Body body =
        (backend, m) ->
            backend
                .codes()
                .estimates(
                    m.codes.planes,
                    m.codes.scales,
                    m.codes.bases,
                    numQueries,
                    m.codes.codes,
                    m.codes.factors,
                    NUM_BLOCKS,
                    m.codes.words,
                    m.codes.sums,
                    m.codes.estimates);
    return new Kernel(
        name,
        CODES,
        _ -> (double) numQueries * NUM_CODES,
        Peaks.COUNT,
        m -> (double) numQueries * NUM_CODES * m.codes.words * CodeKernels.PLANES,
        body,
        m -> MemorySegment.ofArray(m.codes.estimates));
  }

  private static void sign(ComputeBackend backend, KernelMemory m) {
    CodeMemory c = m.codes;
    long row = m.packed;
    for (int r = 0; r < NUM_ROWS; r++) {
      c.rotation.rotate(row, c.rotated.address());
      long into = c.signed + CodeKernels.offset(r, c.words);
      backend.codes().signs(c.rotated.address(), c.words, into, CodeKernels.BLOCK);
      row += 4L * m.packedStride;
    }
  }

  private static void select(ComputeBackend backend, KernelMemory m) {
    CodeMemory c = m.codes;
    backend.codes().above(c.someEstimates, 0, NUM_CODES, CodeMemory.THRESHOLD, c.found);
  }
}
