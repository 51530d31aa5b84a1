// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.loss.Loss;

/**
 * The kernels of {@code softmax.cu} with named arguments, and what they keep of each sample of a
 * batch: running maxima and sums, cosine and logit of its target, log Z and loss.
 *
 * <p>The order of a step: {@link #forward} of every tile of active classes, from the first on;
 * {@link #finish}; then, tile by tile in any order, the inner products again and {@link #gradient}.
 * A batch in groups goes through forward and gradient group by group, each with its own tiles.
 *
 * <p>Addresses are those of device memory. Calls return before the device is done, but for {@link
 * #meanLoss} and {@link #losses}. Owns its device memory until {@link #close}. Used by the thread
 * of its device.
 */
final class SoftmaxKernels implements AutoCloseable {
  /** A sample's columns of a tile are shared by so many blocks: a batch of 64 fills a device. */
  static final int SEGMENTS = 8;

  private static final int BLOCK = 256;

  /** As in softmax.cu: below every logit that can occur. */
  private static final float LOWEST = -1e30f;

  private final Device device;
  private final Kernel forward;
  private final Kernel finish;
  private final Kernel gradient;
  private final Kernel finishEmbeddings;
  private final int kind;
  private final DeviceBuffer lossNumbers;
  private final DeviceBuffer maxima;
  private final DeviceBuffer sums;
  private final DeviceBuffer cosines;
  private final DeviceBuffer targetLogits;
  private final DeviceBuffer logSumExps;
  private final DeviceBuffer losses;
  private final DeviceBuffer mean;

  /** Allocates for batches of up to {@code capacity} samples. */
  SoftmaxKernels(Device device, Loss loss, int capacity) {
    this.device = device;
    forward = device.kernel("softmax", "softmax_forward");
    finish = device.kernel("softmax", "softmax_finish");
    gradient = device.kernel("softmax", "softmax_gradient");
    finishEmbeddings = device.kernel("softmax", "finish_embedding_gradient");
    kind = kind(loss);
    lossNumbers = uploaded(device, numbers(loss));
    maxima = device.allocate(4L * SEGMENTS * capacity);
    sums = device.allocate(8L * SEGMENTS * capacity);
    cosines = device.allocate(8L * capacity);
    targetLogits = device.allocate(8L * capacity);
    logSumExps = device.allocate(8L * capacity);
    losses = device.allocate(8L * capacity);
    mean = device.allocate(8);
  }

  /** Bytes on the device for batches of this size, for the memory forecast. */
  static long sizeInBytes(int capacity) {
    return (12L * SEGMENTS + 32) * capacity + 8 + 32;
  }

  /** The constants of softmax.cu. */
  private static int kind(Loss loss) {
    return switch (loss) {
      case Loss.Softmax _, Loss.NormalisedSoftmax _ -> 0;
      case Loss.CosFace _ -> 1;
      case Loss.ArcFace arcFace ->
          switch (arcFace.backward()) {
            case EXACT -> 2;
            case STRAIGHT_THROUGH -> 3;
          };
      case Loss.DSoftmax _ -> 4;
    };
  }

  /** Scale, margin or end point, cosine and sine of the margin. */
  private static double[] numbers(Loss loss) {
    double margin =
        switch (loss) {
          case Loss.Softmax _, Loss.NormalisedSoftmax _ -> 0;
          case Loss.CosFace cosFace -> cosFace.margin();
          case Loss.ArcFace arcFace -> arcFace.margin();
          case Loss.DSoftmax dSoftmax -> dSoftmax.d();
        };
    return new double[] {loss.scale(), margin, Math.cos(margin), Math.sin(margin)};
  }

  private static DeviceBuffer uploaded(Device device, double[] numbers) {
    DeviceBuffer buffer = device.allocate(8L * numbers.length);
    try (var arena = Arena.ofConfined()) {
      device.upload(arena.allocateFrom(JAVA_DOUBLE, numbers), buffer, 0);
      device.synchronize();
    }
    return buffer;
  }

  /**
   * Samples that share active classes: the whole batch, or a group of it.
   *
   * @param from number in the batch of the first one
   * @param count how many
   * @param targets address of the position of each one's target among the active classes, (count)
   *     ints
   */
  record Samples(int from, int count, long targets) {}

  /**
   * Inner products of samples with a tile of active classes.
   *
   * @param address of (samples, stride) floats, a multiple of 16
   * @param stride floats from sample to sample, a multiple of 4, at least {@code columns}
   * @param first position among the active classes of the first one
   * @param columns active classes in the tile
   * @param logWeights address of their log weights (columns), or 0 for none
   */
  record Tile(long address, int stride, int first, int columns, long logWeights) {}

  /** Begins a batch in which some samples may see no tile. */
  void clear(int batch) {
    device.fill(maxima, 0, 4L * SEGMENTS * batch, Float.floatToRawIntBits(LOWEST));
    device.fill(sums, 0, 8L * SEGMENTS * batch, 0);
  }

  /**
   * Where what is known of each sample lies between {@link #forward} and {@link #finish}.
   *
   * @param maxima address of (batch, SEGMENTS) floats
   * @param sums address of (batch, SEGMENTS) doubles
   * @param targetLogits address of (batch) doubles
   */
  record Kept(long maxima, long sums, long targetLogits) {}

  /** For devices that share the classes. */
  Kept kept() {
    return new Kept(maxima.address(), sums.address(), targetLogits.address());
  }

  /**
   * Adds a tile to the running maxima and sums of its samples. A tile that begins at class 0 begins
   * a new batch for them, so tiles come in order.
   */
  void forward(Samples samples, Tile tile) {
    forward.launch(
        samples.count(),
        SEGMENTS,
        BLOCK,
        0,
        tile.address(),
        tile.stride(),
        tile.columns(),
        tile.logWeights(),
        samples.targets(),
        tile.first(),
        kind,
        lossNumbers.address(),
        tile.first() == 0 ? 1 : 0,
        maxima.address() + 4L * SEGMENTS * samples.from(),
        sums.address() + 8L * SEGMENTS * samples.from(),
        cosines.address() + 8L * samples.from(),
        targetLogits.address() + 8L * samples.from());
  }

  /** Makes log Z and loss of every sample of a batch, when all tiles went through forward. */
  void finish(int batch) {
    finish.launch(
        1,
        1,
        BLOCK,
        0,
        maxima.address(),
        sums.address(),
        SEGMENTS,
        targetLogits.address(),
        batch,
        kind,
        lossNumbers.address(),
        logSumExps.address(),
        losses.address(),
        mean.address());
  }

  /** The mean loss of the last {@link #finish}, in nats; waits for the device. */
  double meanLoss() {
    return download(mean, 1)[0];
  }

  /** The loss of each sample of a batch, in nats; waits for the device. */
  double[] losses(int batch) {
    return download(losses, batch);
  }

  private double[] download(DeviceBuffer from, int count) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment numbers = arena.allocate(JAVA_DOUBLE, count);
      device.download(from, 0, numbers);
      return numbers.toArray(JAVA_DOUBLE);
    }
  }

  /**
   * Where the gradient by a tile's inner products goes.
   *
   * @param columns of it that are written, a multiple of 4, at least the tile's and at most its
   *     stride; those beyond the tile's become 0
   * @param bf16 address of (samples, bf16Stride) bf16 numbers, a multiple of 8; or 0, and the tile
   *     itself becomes its gradient
   * @param bf16Stride a multiple of 4
   */
  record Destination(int columns, long bf16, int bf16Stride) {
    /** The tile itself. */
    static Destination inPlace(int columns) {
      return new Destination(columns, 0, 0);
    }
  }

  /**
   * Turns inner products into the gradient of the mean loss by them.
   *
   * @param batch samples of the whole batch, over which the loss is a mean
   */
  void gradient(Samples samples, Tile tile, Destination into, int batch) {
    gradient.launch(
        samples.count(),
        SEGMENTS,
        BLOCK,
        0,
        tile.address(),
        tile.stride(),
        tile.columns(),
        into.columns(),
        tile.logWeights(),
        samples.targets(),
        tile.first(),
        kind,
        lossNumbers.address(),
        logSumExps.address() + 8L * samples.from(),
        cosines.address() + 8L * samples.from(),
        targetLogits.address() + 8L * samples.from(),
        batch,
        into.bf16(),
        into.bf16Stride());
  }

  /**
   * Turns the gradient by unit embeddings into the gradient by the embeddings, in place.
   *
   * @param gradients address of (batch, stride) floats
   * @param embeddings address of (batch, stride) floats of unit length
   * @param inverseNorms address of (batch) floats, or 0 when embeddings were taken as they are
   * @param stride a multiple of 16
   * @param dim columns that are kept; those beyond, of the constant 1 and of padding, become 0
   */
  void finishEmbeddings(
      long gradients, long embeddings, long inverseNorms, int batch, int stride, int dim) {
    finishEmbeddings.launch(
        RowKernels.blocks(batch, stride),
        1,
        BLOCK,
        0,
        gradients,
        embeddings,
        inverseNorms,
        batch,
        stride,
        dim);
  }

  @Override
  public void close() {
    lossNumbers.close();
    maxima.close();
    sums.close();
    cosines.close();
    targetLogits.close();
    logSumExps.close();
    losses.close();
    mean.close();
  }
}
