// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The tiled head against {@link LossDefinition}, over odd sizes, losses, selections and threads.
 */
class SoftmaxHeadTest {
  /** Sizes of one problem. */
  record Sizes(int numClasses, int dim, int batch) {}

  private static final List<Sizes> SIZES =
      List.of(
          new Sizes(1, 1, 1),
          new Sizes(3, 5, 2),
          new Sizes(17, 16, 63),
          new Sizes(129, 31, 65),
          new Sizes(700, 48, 130),
          new Sizes(2_100, 64, 300),
          new Sizes(5, 129, 7));

  private static final List<String> LOSSES =
      List.of(
          "softmax",
          "softmax(bias=true)",
          "normsoftmax(scale=16)",
          "cosface(scale=64, margin=0.4)",
          "arcface(scale=64, margin=0.5)",
          "arcface(scale=30, margin=0.3, backward=straight-through)",
          "dsoftmax(scale=64, d=0.9)",
          "dsoftmax(scale=16, d=0.5)");

  static Stream<Object[]> problems() {
    return SIZES.stream()
        .flatMap(
            sizes ->
                LOSSES.stream()
                    .flatMap(
                        loss ->
                            Stream.of("all", "some", "some+tail", "1 group", "4 groups+tail")
                                .map(how -> new Object[] {sizes, loss, how})));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void tiledLossAndGradientsAreThoseOfTheDefinition(Sizes sizes, String loss, String selection) {
    var problem = new Problem(sizes, Loss.parse(loss), selection);
    for (int threads : new int[] {1, 3}) {
      problem.check(threads, "auto");
    }
  }

  @ParameterizedTest
  @MethodSource("problems")
  void scalarBackendAgreesWithTheDefinitionToo(Sizes sizes, String loss, String selection) {
    if (sizes.numClasses() <= 129) {
      new Problem(sizes, Loss.parse(loss), selection).check(1, "scalar");
    }
  }

  /** Random features, weights and targets, and what the definition makes of them. */
  private static final class Problem {
    private final Loss loss;
    private final float[][] features;
    private final float[][] weights;
    private final int[] targets;
    private final ActiveClasses active;
    private final LossDefinition.Result expected;
    private final int dim;

    Problem(Sizes sizes, Loss loss, String selection) {
      this.loss = loss;
      this.dim = sizes.dim();
      var random = new SplittableRandom(sizes.hashCode() * 31L + loss.hashCode());
      features = matrix(random, sizes.batch(), dim, 0.6);
      weights = matrix(random, sizes.numClasses(), dim + (loss.bias() ? 1 : 0), 0.4);
      targets = random.ints(sizes.batch(), 0, sizes.numClasses()).toArray();
      active = select(random, sizes.numClasses(), selection);
      expected = define();
    }

    private static float[][] matrix(SplittableRandom random, int rows, int columns, double scale) {
      float[][] matrix = new float[rows][columns];
      for (float[] row : matrix) {
        for (int j = 0; j < columns; j++) {
          row[j] = (float) (scale * random.nextGaussian());
        }
      }
      return matrix;
    }

    private ActiveClasses select(SplittableRandom random, int numClasses, String selection) {
      if (selection.equals("all")) {
        return ActiveClasses.all(numClasses, targets);
      }
      if (!selection.contains("group")) {
        return select(random, numClasses, selection, targets);
      }
      int numGroups = Math.min(targets.length, Character.digit(selection.charAt(0), 10));
      List<ActiveClasses.Group> groups = new ArrayList<>();
      for (int g = 0; g < numGroups; g++) {
        int number = g; // samples go round, so that a group is no range of the batch
        int[] samples = range(targets.length).filter(i -> i % numGroups == number).toArray();
        int[] own = Arrays.stream(samples).map(i -> targets[i]).toArray();
        groups.add(new ActiveClasses.Group(samples, select(random, numClasses, selection, own)));
      }
      return ActiveClasses.ofGroups(groups, targets);
    }

    private static ActiveClasses select(
        SplittableRandom random, int numClasses, String selection, int[] targets) {
      int[] ids =
          range(numClasses)
              .filter(c -> random.nextInt(3) == 0 || Arrays.stream(targets).anyMatch(t -> t == c))
              .toArray();
      float[] logWeights = new float[ids.length];
      if (selection.endsWith("tail")) {
        for (int j = 0; j < ids.length; j++) {
          int c = ids[j];
          boolean target = Arrays.stream(targets).anyMatch(t -> t == c);
          logWeights[j] = target ? 0f : (float) Math.log(2.5);
        }
      }
      return ActiveClasses.of(ids, logWeights, targets);
    }

    /** The definition, group by group: a group of n samples has n parts in batch of the mean. */
    private LossDefinition.Result define() {
      if (active.groups().isEmpty()) {
        return define(range(targets.length).toArray(), active);
      }
      double[] losses = new double[targets.length];
      double[][] gx = new double[targets.length][dim];
      double[][] gw = new double[weights.length][dim];
      double[] gb = new double[loss.bias() ? weights.length : 0];
      for (ActiveClasses.Group group : active.groups()) {
        int[] samples = group.samples();
        var part = define(samples, group.active());
        double share = (double) samples.length / targets.length;
        for (int i = 0; i < samples.length; i++) {
          losses[samples[i]] = part.losses()[i];
          add(share, part.featureGradients()[i], gx[samples[i]]);
        }
        for (int c = 0; c < gw.length; c++) {
          add(share, part.weightGradients()[c], gw[c]);
        }
        add(share, part.biasGradients(), gb);
      }
      double mean = Arrays.stream(losses).average().orElseThrow();
      return new LossDefinition.Result(losses, mean, new double[0][], gx, gw, gb);
    }

    private static void add(double factor, double[] row, double[] into) {
      for (int j = 0; j < into.length; j++) {
        into[j] += factor * row[j];
      }
    }

    private static IntStream range(int end) {
      return IntStream.range(0, end);
    }

    private LossDefinition.Result define(int[] samples, ActiveClasses active) {
      double[][] x = new double[samples.length][];
      Arrays.setAll(x, i -> doubles(features[samples[i]], dim));
      int[] targetsOfSamples = Arrays.stream(samples).map(i -> targets[i]).toArray();
      double[][] w = new double[weights.length][];
      Arrays.setAll(w, c -> doubles(weights[c], dim));
      double[] bias = new double[0];
      if (loss.bias()) {
        bias = new double[weights.length];
        for (int c = 0; c < bias.length; c++) {
          bias[c] = weights[c][dim];
        }
      }
      int[] ids = new int[active.numActive()];
      double[] logWeights = new double[ids.length];
      for (int j = 0; j < ids.length; j++) {
        ids[j] = active.classId(j);
        logWeights[j] = active.logWeight(j);
      }
      return LossDefinition.lossAndGradient(
          loss,
          new LossDefinition.Batch(x, targetsOfSamples),
          new LossDefinition.Head(w, bias),
          new LossDefinition.Active(ids, logWeights));
    }

    private static double[] doubles(float[] row, int length) {
      double[] doubles = new double[length];
      Arrays.setAll(doubles, j -> row[j]);
      return doubles;
    }

    void check(int threads, String backendName) {
      String[] labels =
          IntStream.range(0, targets.length).mapToObj(i -> "l" + i).toArray(String[]::new);
      try (var engine = Engine.start(backendName, threads);
          var data = Dataset.of(features, labels);
          var w = ClassWeights.allocate(weights.length, dim, loss.bias(), RowMatrix.State.NONE);
          var embeddings =
              new Embeddings(
                  targets.length,
                  new Embeddings.Shape(dim, loss.normalised(), loss.bias()),
                  engine);
          var head = new SoftmaxHead(loss, w, targets.length, engine);
          var backbone = new FrozenBackbone(dim)) {
        for (int c = 0; c < weights.length; c++) {
          for (int j = 0; j < weights[c].length; j++) {
            w.matrix().set(c, j, weights[c][j]);
          }
        }
        var batch = MiniBatch.range(data, 0, targets.length);
        backbone.read(batch, true);
        embeddings.begin(targets.length);
        backbone.forward(embeddings);
        embeddings.pack(batch);
        double mean = head.forward(embeddings, active);
        assertEquals(expected.meanLoss(), mean, 2e-5 * Math.max(1, Math.abs(expected.meanLoss())));
        for (int i = 0; i < targets.length; i++) {
          double value = expected.losses()[i];
          assertEquals(value, head.exampleLoss(i), 5e-5 * Math.max(1, Math.abs(value)));
        }
        double[][] gradients = new double[weights.length][weights[0].length];
        int[] updates = new int[weights.length];
        var column = new RowMatrix(1, w.matrix().width(), RowMatrix.State.NONE);
        head.backward(
            embeddings,
            active,
            (row, gradient, _) -> {
              synchronized (column) {
                updates[row]++;
                engine.backend().scaled(gradient, 1f, w.matrix().stride(), column.address(0));
                Arrays.setAll(gradients[row], j -> gradients[row][j] + column.get(0, j));
              }
            });
        int[] once = new int[weights.length];
        range(active.numActive()).forEach(j -> once[active.classId(j)] = 1);
        assertArrayEquals(once, updates, "each active class is updated once, no other is");
        compare(embeddings, gradients);
        column.close();
      }
    }

    private void compare(Embeddings embeddings, double[][] gradients) {
      double floor = 2e-6 * Math.max(5, loss.scale()); // rounding where the gradient is 0
      double largest = 0;
      for (double[] row : expected.featureGradients()) {
        largest = Math.max(largest, Arrays.stream(row).map(Math::abs).max().orElse(0));
      }
      for (int i = 0; i < targets.length; i++) {
        double[] actual = new double[dim];
        int sample = i;
        Arrays.setAll(actual, j -> embeddings.gradient(sample, j));
        assertArrayEquals(
            expected.featureGradients()[i], actual, 1e-4 * largest + floor, "dx " + i);
      }
      largest = 0;
      for (double[] row : expected.weightGradients()) {
        largest = Math.max(largest, Arrays.stream(row).map(Math::abs).max().orElse(0));
      }
      for (int c = 0; c < weights.length; c++) {
        double[] actual = Arrays.copyOf(gradients[c], dim);
        assertArrayEquals(expected.weightGradients()[c], actual, 1e-4 * largest + floor, "dw " + c);
        if (loss.bias()) {
          assertEquals(expected.biasGradients()[c], gradients[c][dim], 1e-4, "db " + c);
        }
      }
    }
  }
}
