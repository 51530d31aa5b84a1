// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.util.List;

/**
 * The arithmetic of a mini-batch, on tiles that fit the caches. {@code scalar} is the definition;
 * {@code vector} agrees with it to rounding (see the twin test) and is 10-30x as fast.
 *
 * <p>Operands are raw addresses of float32 in native byte order: a call happens thousands of times
 * a step, and the caller, who owns the memory and keeps it alive, has checked its ranges once.
 * Implementations are stateless and thread-safe.
 *
 * <p>Two layouts carry everything. A <em>row</em> is {@code width} floats, padded with zeros to a
 * multiple of {@link #ROW_ALIGNMENT}. A <em>panel</em> is a matrix of {@link #PANEL} columns, one
 * column a sample, contiguous: (rows, 64).
 */
public sealed interface ComputeBackend permits ScalarBackend, VectorBackend {
  /** Columns of a panel: samples that are worked on together. */
  int PANEL = 64;

  /** Rows are padded to a multiple of this many floats: one 64-byte cache line. */
  int ROW_ALIGNMENT = 16;

  /** GEMM kernels work on this many rows at once; row counts of tiles are padded to it. */
  int ROW_BLOCK = 4;

  /** How often {@link #columnThreshold} halves the range that it searches. */
  int HALVINGS = 10;

  /** exp of less than this is 0: the results would be too small for a normal float. */
  float LOWEST_EXPONENT = -87.3f;

  /** exp of more than this is infinite, a little before the largest float is reached. */
  float HIGHEST_EXPONENT = 88f;

  /** What to ask for on the command line: "auto" takes the fastest that this JVM can run. */
  List<String> NAMES = List.of("auto", "vector", "scalar");

  /**
   * The backend of a name.
   *
   * @throws IllegalArgumentException for a name not in {@link #NAMES}, or when {@code vector} is
   *     asked for and the JVM runs without the Vector API
   */
  static ComputeBackend named(String name) {
    boolean available = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    return switch (name) {
      case "scalar" -> new ScalarBackend();
      case "vector" -> {
        if (!available) {
          throw new IllegalArgumentException(
              "backend \"vector\" needs the Vector API: run java with --add-modules"
                  + " jdk.incubator.vector, or take backend \"scalar\"");
        }
        yield new VectorBackend();
      }
      case "auto" -> available ? new VectorBackend() : new ScalarBackend();
      default ->
          throw new IllegalArgumentException(
              "unknown backend \"%s\"; expected one of %s"
                  .formatted(name, String.join(", ", NAMES)));
    };
  }

  /** Number of floats that a row of this width occupies. */
  static int padded(int width) {
    return (width + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
  }

  /** Name and width, for the run header: "scalar", "vector 512 bit". */
  String description();

  /** The arithmetic of sign codes of the same kind. */
  CodeKernels codes();

  // ---- matrix products -----------------------------------------------------------------------

  /**
   * Inner products of rows with the samples of one panel: tile = rows x panel.
   *
   * @param rows addresses of at least {@code numRows} rows, each {@code width} floats
   * @param numRows a multiple of {@link #ROW_BLOCK}
   * @param panel (width, 64)
   * @param tile (numRows, 64), written
   */
  void logits(long[] rows, int numRows, long panel, int width, long tile);

  /**
   * Adds a tile's share to the gradient of one panel of embeddings: into += weights^T x tile.
   *
   * @param weights (numRows, stride) row-major, already scaled
   * @param stride floats from row to row of {@code weights}
   * @param tile gradient of the logits, (numRows, 64)
   * @param width a multiple of {@link #ROW_BLOCK}, at most {@code stride}
   * @param into (width, 64), added to
   */
  void embeddingGradient(long weights, int stride, long tile, int numRows, int width, long into);

  /**
   * Gradient of a tile of rows over the whole batch: into = tiles x embeddings.
   *
   * @param tiles gradient of the logits, (numPanels, numRows, 64)
   * @param numRows a multiple of {@link #ROW_BLOCK}
   * @param embeddings column blocks (numBlocks, numPanels * 64, 64): 64 columns of all samples each
   * @param into (numRows, numBlocks * 64), written
   */
  void weightGradient(
      long tiles, int numPanels, int numRows, long embeddings, int numBlocks, long into);

  // ---- softmax over tiles --------------------------------------------------------------------

  /** tile[r][i] = tile[r][i] * scale[r] + shift[r]; tile (numRows, 64), the arrays (numRows). */
  void scaleAndShift(long tile, int numRows, float[] scale, float[] shift);

  /** into[i] = max over rows of tile[r][i]; tile (numRows, 64), into (64). */
  void columnMax(long tile, int numRows, long into);

  /** into[r] = max over the first {@code numColumns} columns of tile[r]; tile (numRows, 64). */
  void rowMax(long tile, int numRows, int numColumns, float[] into);

  /** tile[r][i] = exp(tile[r][i] - offset[i]), sum[i] += its column sums; offset, sum (64). */
  void expAndSum(long tile, int numRows, long offset, long sum);

  /** tile[r][i] = exp(tile[r][i] - offset[i]) * factor[i]; offset and factor (64). */
  void expAndScale(long tile, int numRows, long offset, long factor);

  /** tile[r][i] *= factor[i]; factor (64). */
  void scaleColumns(long tile, int numRows, long factor);

  /**
   * Finds what the {@code k} largest entries of each column of a tile reach, and few others: as
   * close below the k-th largest as halving the range of the column {@link #HALVINGS} times comes.
   *
   * @param tile (numRows, 64), finite
   * @param k in [1, numRows]
   * @param into (64), written
   */
  void columnThreshold(long tile, int numRows, int k, long into);

  /**
   * Finds the entries of a tile above their column's threshold.
   *
   * @param threshold (64)
   * @param into receives r * 64 + i of each entry found, rows ascending; room for numRows * 64
   * @return how many were found
   */
  int above(long tile, int numRows, long threshold, int[] into);

  // ---- rows ----------------------------------------------------------------------------------

  /** Inner product of two rows of {@code stride} floats, a multiple of {@link #ROW_ALIGNMENT}. */
  float dot(long a, long b, int stride);

  /**
   * Inner products of one row with several: into[i] = rows[i] . row, the same bits as {@link #dot}.
   *
   * @param rows addresses of at least {@code count} rows, each {@code stride} floats
   * @param row {@code stride} floats
   * @param into (count), written
   */
  void dots(long[] rows, int count, long row, int stride, float[] into);

  /**
   * Inner products of one row with rows of codes: into[i] = sum over j of codes[i][j] * row[j], the
   * same bits as {@link #dot} with the codes as floats.
   *
   * @param codes addresses of at least {@code count} rows, each {@code stride} signed bytes
   * @param row {@code stride} floats
   * @param into (count), written
   */
  void codeDots(long[] codes, int count, long row, int stride, float[] into);

  /** 1 / |row|; 0 for a row of zeros, which has no direction: its cosine with everything is 0. */
  default float inverseNorm(long row, int stride) {
    float squares = dot(row, row, stride);
    return squares < Float.MIN_NORMAL ? 0f : (float) (1 / Math.sqrt(squares));
  }

  /** into[j] = row[j] * factor. */
  void scaled(long row, float factor, int stride, long into);

  /** into[j] += row[j] * factor. */
  void addScaled(long row, float factor, int stride, long into);

  /**
   * Reads a row of {@link RowFormat#BF16}.
   *
   * @param row {@code stride} numbers of 16 bits
   * @param into {@code stride} floats, written
   */
  void widen(long row, int stride, long into);

  /**
   * Writes a row of {@link RowFormat#BF16}, each number rounded up or down by random bits that
   * follow from the key and the position alone.
   *
   * @param row {@code stride} floats
   * @param key of the random bits
   * @param into {@code stride} numbers of 16 bits, written
   */
  void narrow(long row, int stride, int key, long into);

  /**
   * into[j] = sum of rows[from..to)[j].
   *
   * @param rows addresses of rows of {@code stride} floats
   */
  void sum(long[] rows, int from, int to, int stride, long into);

  /**
   * One step of SGD with momentum: v = u v + (g + d w); w -= h v, or with Nesterov w -= h (g + d w
   * + u v).
   */
  void momentumStep(
      long w,
      long v,
      long g,
      int stride,
      float rate,
      float momentum,
      float decay,
      boolean nesterov);

  /** (v, w) = A (v, w) with A = (a, b; c, d), row-major: several steps without gradient at once. */
  void transform(long w, long v, int stride, float a, float b, float c, float d);
}
