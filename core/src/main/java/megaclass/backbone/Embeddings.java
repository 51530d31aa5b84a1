// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.data.MiniBatch;

/**
 * The embeddings of a mini-batch and the gradient of the loss by them, in the layouts that the
 * matrix kernels read: rows, panels of 64 samples, and blocks of 64 columns.
 *
 * <p>A backbone writes the rows; {@link #pack} takes them to unit length and lays them out; the
 * head adds to the gradient; {@link #finishGradient} takes it back through the normalisation. One
 * object serves all batches of a run. Not thread-safe, but works with all threads itself.
 */
public final class Embeddings implements AutoCloseable {
  private final int dim;
  private final boolean normalised;
  private final boolean constant;
  private final int width;
  private final int stride;
  private final int numBlocks;
  private final ComputeBackend backend;
  private final Workers workers;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment rows;
  private final MemorySegment gradientRows;
  private final MemorySegment panels;
  private final MemorySegment blocks;
  private final MemorySegment scratch;
  private final float[] inverseNorms;
  private final int capacity;
  private int size;

  /**
   * What an embedding is to a loss.
   *
   * @param dim floats of an embedding
   * @param normalised whether {@link #pack} takes rows to unit length
   * @param constant whether each embedding gets a constant 1 behind its last value, whose class
   *     weight is the bias
   */
  public record Shape(int dim, boolean normalised, boolean constant) {}

  /** Allocates for batches of up to {@code capacity} samples. */
  public Embeddings(int capacity, Shape shape, Engine engine) {
    this.capacity = roundUp(capacity);
    this.dim = shape.dim();
    this.normalised = shape.normalised();
    this.constant = shape.constant();
    this.width = dim + (constant ? 1 : 0);
    this.stride = ComputeBackend.padded(width);
    this.numBlocks = (width + PANEL - 1) / PANEL;
    this.backend = engine.backend();
    this.workers = engine.workers();
    long samples = this.capacity;
    rows = NativeMemory.allocate(4L * samples * stride, arena);
    gradientRows = NativeMemory.allocate(4L * samples * stride, arena);
    panels = NativeMemory.allocate(4L * samples * stride, arena);
    blocks = NativeMemory.allocate(4L * samples * numBlocks * PANEL, arena);
    scratch = NativeMemory.allocate(4L * workers.threads() * stride, arena);
    inverseNorms = new float[this.capacity];
  }

  /** Bytes for batches of this size, for the memory forecast. */
  public static long sizeInBytes(int capacity, int width) {
    int numBlocks = (width + PANEL - 1) / PANEL;
    return 4L * roundUp(capacity) * (3L * ComputeBackend.padded(width) + (long) numBlocks * PANEL);
  }

  private static int roundUp(int samples) {
    return (samples + PANEL - 1) / PANEL * PANEL;
  }

  /** Starts a batch of this many samples; their rows are to be written next. */
  public void begin(int size) {
    if (size < 1 || size > capacity) {
      throw new IllegalArgumentException(
          "batch size must be in [1, %d], but was %d".formatted(capacity, size));
    }
    this.size = size;
  }

  /** Samples that a batch may have, at least. */
  public int capacity() {
    return capacity;
  }

  /** Samples in the batch. */
  public int size() {
    return size;
  }

  /** Floats of an embedding. */
  public int dim() {
    return dim;
  }

  /** Floats of an embedding with its constant 1, if it has one. */
  public int width() {
    return width;
  }

  /** {@code width} rounded up to a multiple of 16: floats from row to row. */
  public int stride() {
    return stride;
  }

  /** Number of panels of 64 samples; the last one is filled up with zeros. */
  public int numPanels() {
    return (size + PANEL - 1) / PANEL;
  }

  /** Number of blocks of 64 columns; the last one is filled up with zeros. */
  public int numBlocks() {
    return numBlocks;
  }

  /**
   * Address of the row of a sample, (stride) floats: raw before {@link #pack}, then unit length.
   */
  public long row(int sample) {
    return rows.address() + 4L * sample * stride;
  }

  /** Address of a panel: (width padded to 16, 64). */
  public long panel(int panel) {
    return panels.address() + 4L * PANEL * panel * stride;
  }

  /** Address of the column blocks: (numBlocks, numPanels * 64, 64). */
  public long blocks() {
    return blocks.address();
  }

  /** Address of the gradient row of a sample, (stride) floats, one after the other. */
  public long gradientRow(int sample) {
    return gradientRows.address() + 4L * sample * stride;
  }

  /** Address of (stride) floats that one worker may use as it likes. */
  long scratchRow(int worker) {
    return scratch.address() + 4L * worker * stride;
  }

  /**
   * 1 / length of what a backbone wrote for a sample, when embeddings are normalised: for a head
   * that writes finished {@link #gradientRow}s itself.
   */
  public float inverseNorm(int sample) {
    return inverseNorms[sample];
  }

  /** One value of an embedding, for tests and slow paths. */
  public float get(int sample, int column) {
    return rows.get(JAVA_FLOAT_UNALIGNED, 4L * (sample * (long) stride + column));
  }

  /** One value of the gradient, for tests and slow paths. */
  public float gradient(int sample, int column) {
    return gradientRows.get(JAVA_FLOAT_UNALIGNED, 4L * (sample * (long) stride + column));
  }

  /**
   * Takes the rows to unit length, if cosines are wanted, and lays them out for the kernels.
   *
   * @param batch names the example when its embedding is zero or not finite
   * @throws ArithmeticException when an embedding has no direction: it is zero, infinite or NaN
   */
  public void pack(MiniBatch batch) {
    workers.run(numPanels(), (panel, _) -> packPanel(panel, batch));
  }

  private void packPanel(int panel, MiniBatch batch) {
    for (int sample = panel * PANEL; sample < (panel + 1) * PANEL; sample++) {
      if (sample < size) {
        finishRow(sample, batch);
      } else {
        clearRow(sample);
      }
    }
    layOut(panel);
  }

  private void clearRow(int sample) {
    MemorySegment.ofAddress(row(sample)).reinterpret(4L * stride).fill((byte) 0);
  }

  private void layOut(int panel) {
    for (int lane = 0; lane < PANEL; lane++) {
      int sample = panel * PANEL + lane;
      long row = 4L * sample * stride;
      long into = 4L * PANEL * panel * stride + 4L * lane;
      for (int j = 0; j < stride; j++) {
        float value = rows.get(JAVA_FLOAT_UNALIGNED, row + 4L * j);
        panels.set(JAVA_FLOAT_UNALIGNED, into + 4L * PANEL * j, value);
      }
      for (int block = 0; block < numBlocks; block++) {
        long floats = Math.min(PANEL, stride - block * PANEL);
        long at = 4L * PANEL * (block * (long) numPanels() * PANEL + sample);
        MemorySegment.copy(rows, row + 4L * PANEL * block, blocks, at, 4L * floats);
        // A batch of another size had other samples here.
        blocks.asSlice(at + 4L * floats, 4L * (PANEL - floats)).fill((byte) 0);
      }
    }
  }

  private void finishRow(int sample, MiniBatch batch) {
    long row = row(sample);
    float squares = backend.dot(row, row, stride);
    if (!(squares <= Float.MAX_VALUE) || (normalised && squares < Float.MIN_NORMAL)) {
      throw new ArithmeticException(
          "example %d of %s has an embedding of length %s, which has no direction; remove the"
                  .formatted(batch.example(sample), batch.data().description(), Math.sqrt(squares))
              + " example, or lower the learning rate if it is not the data's fault");
    }
    if (normalised) {
      inverseNorms[sample] = (float) (1 / Math.sqrt(squares));
      backend.scaled(row, inverseNorms[sample], stride, row);
    }
    if (constant) {
      rows.set(JAVA_FLOAT_UNALIGNED, 4L * (sample * (long) stride + dim), 1f);
    }
  }

  /**
   * Becomes some samples of a packed batch, packed as they are there.
   *
   * @param samples their numbers in {@code batch}, in the order in which they are wanted
   */
  public void gather(Embeddings batch, int[] samples) {
    begin(samples.length);
    workers.run(
        numPanels(),
        (panel, _) -> {
          for (int sample = panel * PANEL; sample < (panel + 1) * PANEL; sample++) {
            if (sample < size) {
              backend.scaled(batch.row(samples[sample]), 1f, stride, row(sample));
              inverseNorms[sample] = batch.inverseNorms[samples[sample]];
            } else {
              clearRow(sample);
            }
          }
          layOut(panel);
        });
  }

  /**
   * Becomes some rows of a matrix, such as class weights, of unit length where embeddings are; a
   * row of zeros stays one, and no row has a constant.
   *
   * @param matrix rows of at least {@code dim} floats
   * @param ids the rows, in the order in which they are wanted
   */
  public void gatherRows(RowMatrix matrix, int[] ids) {
    begin(ids.length);
    workers.run(
        numPanels(),
        (panel, worker) -> {
          for (int sample = panel * PANEL; sample < (panel + 1) * PANEL; sample++) {
            clearRow(sample);
            if (sample < size) {
              long from = matrix.read(ids[sample], scratchRow(worker), backend);
              var floats = MemorySegment.ofAddress(from).reinterpret(4L * dim);
              MemorySegment.copy(floats, 0, rows, 4L * sample * stride, 4L * dim);
              float unit = normalised ? backend.inverseNorm(row(sample), stride) : 1f;
              backend.scaled(row(sample), unit, stride, row(sample));
            }
          }
          layOut(panel);
        });
  }

  /**
   * Turns the gradient by the packed embeddings into the gradient by the backbone's output: with xh
   * = x / |x| it is (g - (g . xh) xh) / |x| (methods: "through the normalisation").
   *
   * @param partials addresses of partial sums, each (numPanels, stride, 64), added in this order
   */
  public void finishGradient(long[] partials) {
    workers.run(numPanels(), (panel, _) -> finishPanel(panel, partials));
  }

  private void finishPanel(int panel, long[] partials) {
    long offset = 4L * PANEL * panel * stride;
    for (int part = 1; part < partials.length; part++) {
      backend.addScaled(partials[part] + offset, 1f, PANEL * stride, partials[0] + offset);
    }
    var sum = MemorySegment.ofAddress(partials[0] + offset).reinterpret(4L * PANEL * stride);
    for (int sample = panel * PANEL; sample < Math.min(size, (panel + 1) * PANEL); sample++) {
      long into = 4L * sample * stride;
      for (int j = 0; j < dim; j++) {
        float value = sum.get(JAVA_FLOAT_UNALIGNED, 4L * (j * PANEL + sample % PANEL));
        gradientRows.set(JAVA_FLOAT_UNALIGNED, into + 4L * j, value);
      }
      finishGradientRow(sample);
    }
  }

  private void finishGradientRow(int sample) {
    if (normalised) {
      long gradient = gradientRow(sample);
      float along = backend.dot(gradient, row(sample), stride);
      backend.addScaled(row(sample), -along, stride, gradient);
      backend.scaled(gradient, inverseNorms[sample], stride, gradient);
    }
  }

  /**
   * Gives the gradient rows of gathered samples back.
   *
   * @param samples as given to {@link #gather}
   * @param into the batch that they were gathered from
   */
  public void scatterGradient(int[] samples, Embeddings into) {
    for (int i = 0; i < size; i++) {
      backend.scaled(gradientRow(i), 1f, stride, into.gradientRow(samples[i]));
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
