// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.internal.Hash;
import megaclass.select.ActiveClasses;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.weights.ClassWeights;

/**
 * Class weights and one mini-batch after the other: what a selector chooses for.
 *
 * <p>All values are such that sums of products are exact, in any order and on every backend:
 * weights are multiples of 1/4 in [-1, 1], embeddings have 1, 4 or 16 values of one size and
 * otherwise zeros, so that their length is a power of two. Many scores are equal.
 */
final class SelectionScene implements AutoCloseable {
  private static final int MAX_BATCH = 130;
  private static final int NUM_DIRECTIONS = 500;

  /**
   * Sizes of a scene.
   *
   * @param bias whether embeddings carry a constant 1 and classes a bias
   */
  record Size(
      int numClasses, int batch, int dim, boolean normalised, boolean bias, RowFormat format) {
    /** In float32. */
    Size(int numClasses, int batch, int dim, boolean normalised, boolean bias) {
      this(numClasses, batch, dim, normalised, bias, RowFormat.FP32);
    }
  }

  /** A weight by class and column; column {@code dim} is the bias. */
  @FunctionalInterface
  interface Values {
    float at(int classId, int column);
  }

  /**
   * A choice as lists, of (numActive), (numActive) and (samples) values.
   *
   * @param samples numbers in the batch of those that share the choice
   * @param groups choices of groups of them
   */
  record Choice(
      List<Integer> samples,
      List<Integer> classIds,
      List<Float> logWeights,
      List<Integer> targetPositions,
      List<Choice> groups) {}

  private final Size size;
  private final Engine engine;
  private final ClassWeights weights;
  private final Embeddings embeddings;
  private final Dataset directions;
  private int[] targets = new int[0];

  /** Makes class weights on the grid, which are the same for the same size, and no batch yet. */
  SelectionScene(Size size, Engine engine) {
    this.size = size;
    this.engine = engine;
    weights =
        ClassWeights.allocate(
            size.numClasses(), size.dim(), size.bias(), RowMatrix.State.NONE, size.format());
    setWeights(grid(1));
    var shape = new Embeddings.Shape(size.dim(), size.normalised(), size.bias());
    embeddings = new Embeddings(MAX_BATCH, shape, engine);
    directions = directions(size.dim());
  }

  /** Random multiples of 1/4 in [-1, 1], a function of the seed. */
  static Values grid(long seed) {
    return (classId, column) -> 0.25f * (Hash.below(9, Hash.key(seed, classId, column)) - 4);
  }

  Size size() {
    return size;
  }

  ClassWeights weights() {
    return weights;
  }

  /** What a selector is made for; cosines are scaled by 16. */
  SelectionProblem problem(long seed) {
    double scale = size.normalised() ? 16 : 1;
    return new SelectionProblem(weights, size.normalised(), scale, MAX_BATCH, seed, engine);
  }

  Embeddings embeddings() {
    return embeddings;
  }

  /** Class id of each sample of the batch, (batch). */
  int[] targets() {
    return targets;
  }

  void setWeights(Values values) {
    for (int c = 0; c < size.numClasses(); c++) {
      setWeight(c, values);
    }
  }

  void setWeight(int classId, Values values) {
    for (int j = 0; j < weights.matrix().width(); j++) {
      weights.matrix().set(classId, j, values.at(classId, j));
    }
  }

  /** The next batch, of the scene's size, with random targets: a function of the seed. */
  void embed(long seed) {
    var random = new SplittableRandom(seed + 77);
    embed(seed, random.ints(size.batch(), 0, size.numClasses()).toArray());
  }

  /**
   * The next batch.
   *
   * @param seed of the embeddings
   * @param targets (batch), at most 130
   */
  void embed(long seed, int[] targets) {
    this.targets = targets;
    long[] examples =
        new SplittableRandom(seed).longs(targets.length, 0, directions.numExamples()).toArray();
    try (var backbone = new FrozenBackbone(size.dim())) {
      var batch = MiniBatch.of(directions, examples);
      backbone.read(batch, true);
      embeddings.begin(targets.length);
      backbone.forward(embeddings);
      embeddings.pack(batch);
    }
  }

  private static Dataset directions(int dim) {
    var random = new SplittableRandom(dim);
    var features = new float[NUM_DIRECTIONS][];
    Arrays.setAll(features, _ -> direction(dim, random));
    var labels = new String[NUM_DIRECTIONS];
    Arrays.fill(labels, "unused");
    return Dataset.of(features, labels);
  }

  /** 1, 4 or 16 values of 1 or -1 beside each other, so that the length is 1, 2 or 4. */
  private static float[] direction(int dim, SplittableRandom random) {
    var row = new float[dim];
    int count = 1 << (2 * random.nextInt(3));
    int start = random.nextInt(dim);
    for (int i = 0; i < (count <= dim ? count : 1); i++) {
      row[(start + i) % dim] = random.nextBoolean() ? 1 : -1;
    }
    return row;
  }

  /**
   * Terms of Z, exp(z), spread out so that some classes weigh much: z is twice the cosine, or, if
   * the scene is not normalised, twice the product of weight and unit embedding, plus the bias.
   *
   * @return (batch, numClasses)
   */
  double[][] terms() {
    return IntStream.range(0, targets.length)
        .mapToObj(i -> IntStream.range(0, size.numClasses()).mapToDouble(c -> term(i, c)).toArray())
        .toArray(double[][]::new);
  }

  private double term(int sample, int classId) {
    double product = 0;
    double squares = 0;
    double weightSquares = 0;
    for (int j = 0; j < size.dim(); j++) {
      double x = embeddings.get(sample, j);
      double w = weights.matrix().get(classId, j);
      product += x * w;
      squares += x * x;
      weightSquares += w * w;
    }
    double length = Math.sqrt(squares * (size.normalised() ? weightSquares : 1));
    double bias = size.bias() ? weights.matrix().get(classId, size.dim()) : 0;
    return Math.exp(2 * (length == 0 ? 0 : product / length) + bias);
  }

  /** Lets a selector choose, and holds it to what it had foreseen. */
  ActiveClasses select(ClassSelector selector, long step) {
    int[] foreseen = selector.foreseen(targets, step);
    ActiveClasses active = selector.select(embeddings, targets, step);
    SelectionChecks.assertActive(foreseen, active);
    return active;
  }

  Choice choice(ActiveClasses active) {
    return choice(IntStream.range(0, targets.length).toArray(), active);
  }

  private static Choice choice(int[] samples, ActiveClasses active) {
    var positions = IntStream.range(0, active.numActive()).boxed().toList();
    return new Choice(
        IntStream.of(samples).boxed().toList(),
        positions.stream().map(active::classId).toList(),
        positions.stream().map(active::logWeight).toList(),
        IntStream.range(0, samples.length).map(active::targetPosition).boxed().toList(),
        active.groups().stream().map(g -> choice(g.samples(), g.active())).toList());
  }

  /** All that a selector is lent: the bytes of weights, embeddings in each layout, and targets. */
  byte[] snapshot() {
    var bytes = new ByteArrayOutputStream();
    for (RowMatrix.Shard shard : weights.matrix().shards()) {
      bytes.writeBytes(shard.rows().toArray(JAVA_BYTE));
    }
    int panels = embeddings.numPanels();
    int panel = ComputeBackend.PANEL;
    bytes.writeBytes(bytes(embeddings.row(0), 4L * targets.length * embeddings.stride()));
    bytes.writeBytes(bytes(embeddings.panel(0), 4L * panels * panel * embeddings.stride()));
    bytes.writeBytes(
        bytes(embeddings.blocks(), 4L * embeddings.numBlocks() * panels * panel * panel));
    bytes.writeBytes(MemorySegment.ofArray(targets).toArray(JAVA_BYTE));
    return bytes.toByteArray();
  }

  private static byte[] bytes(long address, long length) {
    return MemorySegment.ofAddress(address).reinterpret(length).toArray(JAVA_BYTE);
  }

  @Override
  public void close() {
    directions.close();
    embeddings.close();
    weights.close();
  }
}
