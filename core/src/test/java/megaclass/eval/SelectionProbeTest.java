// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.loss.Loss;
import megaclass.loss.LossDefinition;
import megaclass.loss.SoftmaxHead;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SelectionProbeTest {
  private static final int SAMPLES = 64;
  private static final int DIM = 13;

  /** A batch over random class weights, and what plain loops in double say of a choice for it. */
  private static final class Case implements AutoCloseable {
    final Loss loss;
    final Engine engine = Engine.start(TestBackend.NAME, 2);
    final ClassWeights weights;
    final Dataset data;
    final MiniBatch batch;
    final Embeddings embeddings;
    final SoftmaxHead head;
    final double[][] features;
    final double[][] rows;
    final double[] bias;

    Case(String loss, int numClasses, int batchSize) {
      this.loss = Loss.parse(loss);
      var random = new SplittableRandom(numClasses);
      weights = ClassWeights.allocate(numClasses, DIM, this.loss.bias(), RowMatrix.State.NONE);
      weights.matrix().randomise(0.5, weights.matrix().width(), 6, engine.workers());
      String[] labels = new String[batchSize];
      Arrays.setAll(labels, _ -> "label " + random.nextInt(Math.min(40, numClasses)));
      data = Dataset.of(SmallModel.matrix(random, batchSize, DIM, false), labels);
      batch = MiniBatch.range(data, 0, batchSize);
      var shape = new Embeddings.Shape(DIM, this.loss.normalised(), this.loss.bias());
      embeddings = new Embeddings(batchSize, shape, engine);
      head = new SoftmaxHead(this.loss, weights, batchSize, engine);
      try (var backbone = new FrozenBackbone(DIM)) {
        backbone.read(batch, false);
        embeddings.begin(batchSize);
        backbone.forward(embeddings);
        embeddings.pack(batch);
      }
      features = new double[Math.min(SAMPLES, batchSize)][DIM];
      rows = new double[numClasses][DIM];
      bias = new double[this.loss.bias() ? numClasses : 0];
      for (int i = 0; i < features.length; i++) {
        int sample = i;
        Arrays.setAll(features[i], j -> embeddings.get(sample, j));
      }
      for (int c = 0; c < numClasses; c++) {
        int classId = c;
        Arrays.setAll(rows[c], j -> weights.matrix().get(classId, j));
      }
      Arrays.setAll(bias, c -> weights.matrix().get(c, DIM));
    }

    SelectionQuality measure(ActiveClasses active) {
      try (var probe = new SelectionProbe(weights, loss, head, engine)) {
        return probe.measure(batch, embeddings, active);
      }
    }

    /** The targets, and each other class at random; draws stand for more than themselves. */
    ActiveClasses some() {
      var random = new SplittableRandom(2);
      var ids = new HashSet<Integer>();
      Arrays.stream(batch.classIds()).forEach(ids::add);
      int targets = ids.size();
      IntStream.range(0, rows.length).filter(_ -> random.nextInt(3) == 0).forEach(ids::add);
      float[] logWeights = new float[ids.size()];
      for (int j = 0; j < logWeights.length; j++) {
        logWeights[j] = random.nextBoolean() ? 0f : 0.7f;
      }
      assertTrue(ids.size() > targets && ids.size() < rows.length);
      return active(ids, logWeights);
    }

    ActiveClasses active(Set<Integer> ids, float[] logWeights) {
      int[] classIds = ids.stream().mapToInt(Integer::intValue).sorted().toArray();
      return ActiveClasses.of(classIds, logWeights, batch.classIds());
    }

    double[] probabilities(int sample) {
      double[] logits = new double[rows.length];
      for (int c = 0; c < logits.length; c++) {
        double norm = loss.normalised() ? Math.sqrt(dot(rows[c], rows[c])) : 1;
        double scale = loss.normalised() ? loss.scale() : 1;
        logits[c] = scale * dot(features[sample], rows[c]) / norm + (loss.bias() ? bias[c] : 0);
      }
      double logZ = SmallModel.logSumExp(logits);
      return Arrays.stream(logits).map(z -> Math.exp(z - logZ)).toArray();
    }

    double[][] gradient(ActiveClasses active) {
      int[] ids = IntStream.range(0, active.numActive()).map(active::classId).toArray();
      double[] logWeights = IntStream.range(0, ids.length).mapToDouble(active::logWeight).toArray();
      return LossDefinition.lossAndGradient(
              loss,
              new LossDefinition.Batch(features, Arrays.copyOf(batch.classIds(), features.length)),
              new LossDefinition.Head(rows, bias),
              new LossDefinition.Active(ids, logWeights))
          .featureGradients();
    }

    @Override
    public void close() {
      head.close();
      embeddings.close();
      weights.close();
      data.close();
      engine.close();
    }
  }

  private static double dot(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(j -> a[j] * b[j]).sum();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"softmax", "softmax(bias=true)", "normsoftmax(scale=16)", "cosface(scale=16)"})
  void massRecallAndLogZAreThoseOfLoopsOverAllClasses(String loss) {
    try (var with = new Case(loss, 150, 70)) {
      var active = with.some();
      var quality = with.measure(active);
      double mass = 0;
      double bias = 0;
      double hits = 0;
      double[] cumulative = new double[150];
      for (int i = 0; i < SAMPLES; i++) {
        double[] p = with.probabilities(i);
        double estimate = 0;
        for (int j = 0; j < active.numActive(); j++) {
          int classId = active.classId(j);
          mass += p[classId] / SAMPLES;
          estimate += p[classId] * Math.exp(active.logWeight(j));
          hits += Arrays.stream(p).filter(other -> other > p[classId]).count() < 10 ? 1 : 0;
        }
        bias += Math.log(estimate) / SAMPLES;
        double[] sorted = Arrays.stream(p).sorted().toArray();
        for (int k = 0; k < cumulative.length; k++) {
          for (int rank = 0; rank <= k; rank++) {
            cumulative[k] += sorted[sorted.length - 1 - rank] / SAMPLES;
          }
        }
      }
      assertEquals(SAMPLES, quality.samples());
      assertEquals(active.numActive(), quality.numActive());
      assertEquals(active.numActive() / 70.0, quality.classesPerSample());
      assertEquals(mass, quality.coveredMass(), 1e-5);
      assertEquals(hits / (10 * SAMPLES), quality.selectionRecall(), 1e-9);
      assertEquals(bias, quality.logZBias(), 1e-5);
      assertEquals(
          List.of(1, 2, 5, 10, 20, 50, 100), List.copyOf(quality.cumulativeMass().keySet()));
      quality.cumulativeMass().forEach((k, share) -> assertEquals(cumulative[k - 1], share, 1e-5));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "softmax",
        "softmax(bias=true)",
        "normsoftmax(scale=16)",
        "cosface(scale=16, margin=0.3)",
        "arcface(scale=16, margin=0.4)",
        "dsoftmax(scale=16, d=0.9)"
      })
  void gradientsAreHeldAgainstThoseOfTheDefinitionMarginsIncluded(String loss) {
    try (var with = new Case(loss, 150, 70)) {
      var active = with.some();
      double[][] chosen = with.gradient(active);
      double[][] full = with.gradient(ActiveClasses.all(150, with.batch.classIds()));
      double cosine = 0;
      double error = 0;
      double all = 0;
      for (int i = 0; i < SAMPLES; i++) {
        double lengths = Math.sqrt(dot(chosen[i], chosen[i]) * dot(full[i], full[i]));
        cosine += dot(chosen[i], full[i]) / lengths / SAMPLES;
        double[] a = chosen[i];
        double[] b = full[i];
        error += IntStream.range(0, DIM).mapToDouble(j -> Math.pow(a[j] - b[j], 2)).sum();
        all += dot(full[i], full[i]);
      }
      var quality = with.measure(active);
      assertTrue(cosine < 0.999, "the choice makes a difference: " + cosine);
      assertEquals(cosine, quality.gradientCosine(), 1e-4);
      assertEquals(Math.sqrt(error / all), quality.gradientError(), 1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"softmax(bias=true)", "arcface(scale=64, margin=0.5)", "dsoftmax"})
  void nothingIsWrongWithAllClasses(String loss) {
    try (var with = new Case(loss, 150, 70)) {
      var ids = Set.copyOf(IntStream.range(0, 150).boxed().toList());
      var quality = with.measure(with.active(ids, new float[150]));
      assertEquals(1, quality.coveredMass(), 1e-5);
      assertEquals(1, quality.selectionRecall());
      assertEquals(0, quality.logZBias(), 1e-5);
      assertEquals(1, quality.gradientCosine());
      assertEquals(0, quality.gradientError());
    }
  }

  @Test
  void whereThereAreFewerThanTenClassesRecallIsOfAll() {
    try (var with = new Case("softmax", 6, 3)) {
      int[] targets = with.batch.classIds();
      var ids = new HashSet<>(Arrays.stream(targets).boxed().toList());
      var quality = with.measure(with.active(ids, new float[ids.size()]));
      assertEquals(3, quality.samples());
      assertEquals(ids.size() / 6.0, quality.selectionRecall());
      assertEquals(List.of(1, 2, 5), List.copyOf(quality.cumulativeMass().keySet()));
    }
  }

  @Test
  void aGradientThatIsNotThereIsAsWrongAsCanBe() {
    try (var with = new Case("normsoftmax(scale=16)", 6, 1)) { // only the target: a loss of 0
      var quality = with.measure(ActiveClasses.of(with.batch.classIds(), null, new int[] {0}));
      assertEquals(0, quality.gradientCosine());
      assertEquals(1, quality.gradientError());
    }
    try (var with = new Case("normsoftmax(scale=16)", 1, 1)) {
      var quality = with.measure(ActiveClasses.all(1, new int[] {0}));
      assertEquals(1, quality.gradientCosine());
      assertEquals(0, quality.gradientError());
    }
  }

  @Test
  void measuringMovesNoClassWeight() {
    try (var with = new Case("cosface(scale=16, margin=0.3)", 150, 70)) {
      with.measure(with.some());
      for (int c = 0; c < 150; c++) {
        for (int j = 0; j < DIM; j++) {
          assertEquals(with.rows[c][j], with.weights.matrix().get(c, j));
        }
      }
    }
  }

  /** Even samples see all classes, odd ones the targets alone; the batch goes on after 64. */
  @Test
  void aSampleIsHeldAgainstTheClassesOfItsOwnGroup() {
    try (var with = new Case("normsoftmax(scale=4)", 150, 71)) {
      int[] targets = with.batch.classIds();
      int[] all = IntStream.range(0, 150).toArray();
      int[] few = Arrays.stream(targets).distinct().sorted().toArray();
      var groups = List.of(group(0, all, targets), group(1, few, targets));
      var quality = with.measure(ActiveClasses.ofGroups(groups, targets));

      double[][] full = with.gradient(ActiveClasses.all(150, targets));
      double[][] ofFew = with.gradient(ActiveClasses.of(few, null, targets));
      double cosine = 0;
      double mass = 0;
      for (int i = 0; i < SAMPLES; i++) {
        double[] p = with.probabilities(i);
        mass += i % 2 == 0 ? 1 : Arrays.stream(few).mapToDouble(c -> p[c]).sum();
        double lengths = Math.sqrt(dot(ofFew[i], ofFew[i]) * dot(full[i], full[i]));
        cosine += i % 2 == 0 ? 1 : dot(ofFew[i], full[i]) / lengths;
      }
      assertTrue(mass < 0.9 * SAMPLES, "the groups differ: " + mass);
      assertEquals(mass / SAMPLES, quality.coveredMass(), 1e-5);
      assertEquals(cosine / SAMPLES, quality.gradientCosine(), 1e-4);
      assertEquals(150, quality.numActive());
    }
  }

  private static ActiveClasses.Group group(int first, int[] classIds, int[] targets) {
    int[] samples = IntStream.range(0, targets.length).filter(i -> i % 2 == first).toArray();
    int[] own = Arrays.stream(samples).map(i -> targets[i]).toArray();
    return new ActiveClasses.Group(samples, ActiveClasses.of(classIds, null, own));
  }
}
