// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.StageClock;
import megaclass.compute.StageClock.Stage;
import megaclass.cuda.DeviceChoice.Chosen;
import megaclass.cuda.SoftmaxKernels.Samples;
import megaclass.cuda.SoftmaxKernels.Tile;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/**
 * The head on a device: class weights, the choice of classes, products, loss, gradients and moves
 * of rows. Embeddings and targets go up; the loss, the gradient of the embeddings and, of the
 * choice, how many classes it has come down.
 *
 * <p>Active classes go through in tiles, as on the host ({@link megaclass.loss.SoftmaxHead}), so
 * that logits of all of them never exist at once: gather the rows of a tile, multiply, and take
 * what the softmax needs; then, once log Z is known, the same again for the gradients. The last
 * tile of the way there is the first one of the way back and needs not be made again: where all
 * active classes fit into a tile, nothing is computed twice.
 */
final class CudaHead implements TrainingHead {
  private final HeadSettings settings;
  private final ClassWeights weights;
  private final StageClock clock;
  private final Device device;
  private final DeviceShard shard;
  private final DeviceRows rows;
  private final RowKernels rowKernels;
  private final SoftmaxKernels softmax;
  private final MissedSteps missed;
  private final DeviceBatch batch;
  private final DeviceChoice choice;
  private final HeadTile memory;
  private float rate;
  private double @Nullable [] losses;
  private @Nullable Chosen everywhere;
  private @Nullable Chosen chosen;

  /**
   * Allocates.
   *
   * @param device closed with this
   * @param tileBytes memory of a tile, about
   * @throws DeviceMemoryException when the device has no room for it
   */
  CudaHead(Device device, HeadProblem problem, long tileBytes) {
    this(device, problem, tileBytes, DeviceShard.whole(device, problem.settings().numClasses()));
  }

  /** The part of a head that has the classes of a shard, which is closed with this. */
  CudaHead(Device device, HeadProblem problem, long tileBytes, DeviceShard shard) {
    this.device = device;
    this.shard = shard;
    settings = problem.settings();
    weights = problem.weights();
    clock = shard.isFirst() ? problem.engine().clock() : new StageClock();
    rows = new DeviceRows(device, weights.matrix(), shard.from(), shard.to());
    rowKernels = new RowKernels(device);
    softmax = new SoftmaxKernels(device, settings.loss(), settings.batchSize());
    missed = new MissedSteps(device, settings.optimizer());
    var precision = Gemm.Precision.of(settings.precision());
    batch =
        new DeviceBatch(
            device,
            rowKernels,
            settings.batchSize(),
            rows.stride(),
            settings.loss().normalised(),
            precision);
    choice = DeviceChoices.of(device, problem, rows, shard);
    memory = new HeadTile(device, HeadTile.Shape.of(settings, tileBytes));
  }

  @Override
  public String description() {
    return device.description() + ", products in " + settings.precision();
  }

  @Override
  public void begin() {
    rows.upload(weights.matrix());
    choice.begin();
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    rows.upload(weights.matrix());
    choice.restore(sections);
  }

  @Override
  public void skipStep(double learningRate) {
    missed.advance((float) learningRate);
  }

  @Override
  public void beginStep(double learningRate) {
    rate = (float) learningRate;
  }

  @Override
  public void select(Embeddings embeddings, int[] targets, long step) {
    clock.enter(Stage.SELECT);
    batch.upload(embeddings, targets);
    if (choice.readsAllRows()) {
      rowKernels.catchUp(rows, rows.all(), missed);
    }
    everywhere = choice.choose(batch, step);
    Chosen made = shard.own(everywhere, batch);
    if (made.numActive() > 0) {
      rowKernels.catchUp(rows, made.rows(0, made.numActive()), missed);
    }
    chosen = made;
  }

  /** The active classes of this device. */
  private Chosen chosen() {
    return Objects.requireNonNull(chosen, "no classes were selected yet");
  }

  /** The active classes of all devices. */
  private Chosen everywhere() {
    return Objects.requireNonNull(everywhere, "no classes were selected yet");
  }

  private Samples samples() {
    return new Samples(0, batch.size(), chosen().targetPositions());
  }

  @Override
  public double forward(Embeddings embeddings) {
    clock.enter(Stage.LOSS);
    losses = null;
    shard.begin(softmax, batch.size());
    for (int first = 0; first < chosen().numActive(); first += memory.classes()) {
      softmax.forward(samples(), logits(first));
    }
    shard.addSums(softmax, batch);
    softmax.finish(batch.size());
    return softmax.meanLoss();
  }

  /** Inner products of the batch with the classes of a tile, from a position on. */
  private Tile logits(int first) {
    Tile made = tile(first);
    rowKernels.gather(rows, chosen().rows(first, made.columns()), memory.gathered(settings.loss()));
    memory.multiply(batch, made.columns());
    return made;
  }

  private Tile tile(int first) {
    int count = Math.min(memory.classes(), chosen().numActive() - first);
    return new Tile(memory.logits(), memory.classes(), first, count, chosen().logWeights(first));
  }

  @Override
  public double exampleLoss(int i) {
    double[] known = losses;
    if (known == null) {
      known = softmax.losses(batch.size());
      losses = known;
    }
    return known[i];
  }

  @Override
  public void backward(Embeddings embeddings) {
    clock.enter(Stage.UPDATE);
    int numOwn = chosen().numActive();
    int last = Math.floorDiv(numOwn - 1, memory.classes()) * memory.classes();
    for (int first = last; first >= 0; first -= memory.classes()) {
      Tile tile = first == last ? tile(first) : logits(first);
      int count = tile.columns();
      softmax.gradient(samples(), tile, memory.gradient(count), batch.size());
      memory.multiplyGradient(batch, count, first == last);
      rowKernels.update(
          rows,
          chosen().rows(first, count),
          memory.rowGradients(settings.loss()),
          settings.optimizer(),
          missed.numSteps(),
          rate);
    }
    if (numOwn > 0) {
      choice.moved(chosen());
    }
    shard.addGradients(batch, numOwn > 0);
    if (shard.isFirst()) {
      batch.downloadGradient(softmax, embeddings);
    }
  }

  @Override
  public void endStep(long step) {
    clock.enter(Stage.REFRESH);
    missed.advance(rate);
    choice.endStep(step);
  }

  @Override
  public int numActive() {
    return everywhere().numActive();
  }

  @Override
  public int weightRows() {
    return choice.readsAllRows() && rows.state().lastStep() ? settings.numClasses() : numActive();
  }

  @Override
  public ActiveClasses active() {
    Chosen made = everywhere();
    DeviceBuffer ids = made.classIds();
    if (ids == null) {
      return ActiveClasses.all(made.numActive(), batch.targetIds());
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(JAVA_INT, made.numActive());
      device.download(ids, 0, host);
      return ActiveClasses.of(host.toArray(JAVA_INT), logWeights(made, arena), batch.targetIds());
    }
  }

  private float @Nullable [] logWeights(Chosen made, Arena arena) {
    DeviceBuffer logWeights = made.logWeights();
    if (logWeights == null) {
      return null;
    }
    MemorySegment host = arena.allocate(JAVA_FLOAT, made.numActive());
    device.download(logWeights, 0, host);
    return host.toArray(JAVA_FLOAT);
  }

  @Override
  public long age(long step) {
    return 0;
  }

  @Override
  public double drift() {
    return 0;
  }

  @Override
  public void catchUpAll() {
    rowKernels.catchUp(rows, rows.all(), missed);
  }

  @Override
  public void synchronise() {
    rows.download(weights.matrix());
  }

  @Override
  public Map<String, MemorySegment> state() {
    return choice.state();
  }

  @Override
  public void close() {
    choice.close();
    memory.close();
    batch.close();
    softmax.close();
    missed.close();
    rows.close();
    shard.close();
    device.close();
  }
}
