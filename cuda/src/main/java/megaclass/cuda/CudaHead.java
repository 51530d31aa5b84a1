// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.StageClock;
import megaclass.compute.StageClock.Stage;
import megaclass.cuda.DeviceChoice.Chosen;
import megaclass.cuda.DeviceChoice.Group;
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
 * choice, how many classes it has come down; rows, too, where the device holds only those in use
 * ({@link HostRows}). The gradient comes as soon as it is known: rows may then still be moving
 * while the host goes on to the next batch.
 *
 * <p>Active classes go through in tiles, as on the host ({@link megaclass.loss.SoftmaxHead}), so
 * that logits of all of them never exist at once: gather the rows of a tile, multiply, and take
 * what the softmax needs; then, once log Z is known, the same again for the gradients. The last
 * tile of the way there is the first one of the way back and needs not be made again: where all
 * active classes fit into a tile, nothing is computed twice. Where a batch is cut in groups, all
 * groups go through a tile before the next one, each with its own of the tile's classes; gradients
 * of rows are added up over the groups, and each row is moved once.
 */
final class CudaHead implements TrainingHead {
  /** Rows that travel together take less memory than a tile by so much. */
  static final int COPIES_OF_TILE = 16;

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
  private final TileParts tiles;
  private float rate;
  private double @Nullable [] losses;
  private @Nullable Chosen everywhere;
  private @Nullable Chosen chosen;
  private List<TilePart> parts = List.of();

  /** A step whose end the choice of classes does not know yet, or less than 0. */
  private long ended = -1;

  /**
   * Allocates.
   *
   * @param device closed with this
   * @param tileBytes memory of a tile, about
   * @throws IllegalArgumentException when {@code device.memory} is less than a step needs
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
    var cache = HostRows.Cache.of(settings, tileBytes / COPIES_OF_TILE, problem.engine().workers());
    rows = new DeviceRows(device, weights.matrix(), shard.from(), shard.to(), cache);
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
    tiles = new TileParts(device);
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
    clock.enter(Stage.REFRESH);
    tellEnd();
    clock.enter(Stage.SELECT);
    batch.upload(embeddings, targets, choice.order(embeddings));
    if (choice.readsAllRows()) {
      catchUpAll();
    }
    everywhere = choice.choose(batch.samples(), step);
    Chosen made = shard.own(everywhere, batch);
    if (made.numActive() > 0) {
      RowChoice active = made.rows(0, made.numActive());
      rows.hold(active);
      rowKernels.catchUp(rows, active, missed);
    }
    chosen = made;
    parts = tiles.of(made, batch.size(), memory.classes());
  }

  /** The active classes of this device. */
  private Chosen chosen() {
    return Objects.requireNonNull(chosen, "no classes were selected yet");
  }

  /** The active classes of all devices. */
  private Chosen everywhere() {
    return Objects.requireNonNull(everywhere, "no classes were selected yet");
  }

  @Override
  public double forward(Embeddings embeddings) {
    clock.enter(Stage.LOSS);
    losses = null;
    shard.begin(softmax, batch.size());
    for (TilePart part : parts) {
      softmax.forward(part.samples(), logits(part));
    }
    shard.addSums(softmax, batch);
    softmax.finish(batch.size());
    return softmax.meanLoss();
  }

  /** Inner products of a part's samples with its classes. */
  private Tile logits(TilePart part) {
    rowKernels.gather(rows, part.rows(), memory.gathered(settings.loss()));
    memory.multiply(batch, part);
    return tile(part);
  }

  private Tile tile(TilePart part) {
    long logWeights = part.chosen().logWeights(part.first());
    return new Tile(memory.logits(), memory.classes(), part.first(), part.count(), logWeights);
  }

  @Override
  public double exampleLoss(int i) {
    double[] known = losses;
    if (known == null) {
      known = batch.inOrder(softmax.losses(batch.size()));
      losses = known;
    }
    return known[i];
  }

  @Override
  public void backward(Embeddings embeddings) {
    clock.enter(Stage.UPDATE);
    if (parts.isEmpty()) {
      sendGradient(embeddings);
    }
    for (int i = parts.size() - 1; i >= 0; i--) {
      TilePart part = parts.get(i);
      boolean isThere = i == parts.size() - 1;
      Tile tile = isThere ? tile(part) : logits(part);
      softmax.gradient(part.samples(), tile, memory.gradient(part.count()), batch.size());
      memory.multiplyEmbeddings(batch, part);
      if (i == 0) {
        sendGradient(embeddings);
      }
      memory.multiplyRows(batch, part);
      moveRows(i);
    }
    if (!parts.isEmpty()) {
      choice.moved(chosen());
    }
    if (shard.isFirst()) {
      batch.endDownload(embeddings);
    }
  }

  /**
   * Begins to bring down the gradient of the embeddings, which this device has made its part of.
   */
  private void sendGradient(Embeddings embeddings) {
    shard.addGradients(batch, !parts.isEmpty());
    if (shard.isFirst()) {
      batch.beginDownload(softmax, embeddings.dim());
    }
  }

  /** Takes in the gradient of a part's rows, and moves the rows of its tile if it was the last. */
  private void moveRows(int i) {
    TilePart part = parts.get(i);
    int first = part.tile() * memory.classes();
    int count = Math.min(memory.classes(), chosen().numActive() - first);
    RowChoice ofTile = chosen().rows(first, count);
    boolean begins = i == parts.size() - 1 || parts.get(i + 1).tile() != part.tile();
    memory.sum(rowKernels, settings.loss(), part, ofTile, begins);
    boolean ends = i == 0 || parts.get(i - 1).tile() != part.tile();
    if (ends) {
      rowKernels.update(
          rows,
          ofTile,
          memory.tileGradients(settings.loss()),
          settings.optimizer(),
          missed.numSteps(),
          rate);
    }
  }

  @Override
  public void endStep(long step) {
    missed.advance(rate);
    ended = step;
  }

  /**
   * Ends the last step for the choice of classes, which waits for the device: not before something
   * else does, so that the host can embed the next batch while rows are moved.
   */
  private void tellEnd() {
    if (ended >= 0) {
      choice.endStep(ended);
      ended = -1;
    }
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
    if (made.groups().isEmpty()) {
      return active(made, batch.targetIds());
    }
    List<ActiveClasses.Group> groups = made.groups().stream().map(this::active).toList();
    return ActiveClasses.ofGroups(groups, batch.targetIds());
  }

  private ActiveClasses.Group active(Group group) {
    int[] samples = batch.numbers(group.from(), group.count());
    int[] targets = Arrays.stream(samples).map(i -> batch.targetIds()[i]).toArray();
    return new ActiveClasses.Group(samples, active(group.chosen(), targets));
  }

  private ActiveClasses active(Chosen made, int[] targets) {
    DeviceBuffer ids = made.classIds();
    if (ids == null) {
      return ActiveClasses.all(made.numActive(), targets);
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(JAVA_INT, made.numActive());
      device.download(ids, 0, host);
      return ActiveClasses.of(host.toArray(JAVA_INT), logWeights(made, arena), targets);
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
    tellEnd();
    rows.changeInParts(rows.all(), (part, _) -> rowKernels.catchUp(rows, part, missed));
  }

  @Override
  public void synchronise() {
    tellEnd();
    rows.download(weights.matrix());
  }

  @Override
  public Map<String, MemorySegment> state() {
    tellEnd();
    return choice.state();
  }

  @Override
  public void close() {
    choice.close();
    memory.close();
    tiles.close();
    batch.close();
    softmax.close();
    missed.close();
    rows.close();
    shard.close();
    device.close();
  }
}
