// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.Precision;
import megaclass.head.TrainingHead;
import megaclass.loss.Loss;
import megaclass.loss.SoftmaxHead;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.SparseOptimizer;
import megaclass.select.ActiveClasses;
import megaclass.select.SelectorSpec;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What every {@link TrainingHead} must keep to, as tests: extend it in the tests of a new engine
 * and say how a head is made and which settings it can train.
 *
 * <ul>
 *   <li>Over the classes that it chose, losses, gradients and rows are those that {@link
 *       SoftmaxHead} and {@link SparseOptimizer} make on the host, to rounding.
 *   <li>All targets are active; ids ascend; the numbers that it tells agree.
 *   <li>The same calls give the same bits, and looking changes nothing: at the choice for a batch,
 *       at rows that are caught up, at the state for a checkpoint.
 *   <li>A head that was restored goes on as the one that was saved, to the bit.
 * </ul>
 *
 * Tests run on the backend that {@code -Dmegaclass.backend} names, {@code auto} by default.
 */
public abstract class TrainingHeadContract {
  private static final String BACKEND = System.getProperty("megaclass.backend", "auto");
  private static final int STEPS = 8;
  private static final int SAVED_AFTER = 5;

  /** For subclasses. */
  protected TrainingHeadContract() {}

  /** Makes the head under test, which is closed when a test is done with it. */
  protected abstract TrainingHead head(HeadProblem problem);

  /** What is tried: see {@link #settings(String)}. */
  protected abstract Stream<HeadSettings> settings();

  /**
   * How far losses, gradients and rows may be from those of the host: as a share of the loss, of
   * the largest gradient, and of the length of a row. Rows of 16 bits may be off by rounding, too.
   */
  protected double tolerance() {
    return 1e-5;
  }

  /**
   * Reads settings from a line.
   *
   * @param line {@code numClasses | dim | dtype | loss | selector | optimizer | batchSize}
   */
  protected static HeadSettings settings(String line) {
    String[] words = line.strip().split("\\s*\\|\\s*");
    return new HeadSettings(
        Integer.parseInt(words[0]),
        Integer.parseInt(words[1]),
        RowFormat.parse(words[2]),
        HeadSettings.ALL_ON_DEVICE,
        Loss.parse(words[3]),
        SelectorSpec.parse(words[4]),
        OptimizerSpec.parse(words[5]),
        Integer.parseInt(words[6]),
        Precision.FP32,
        0,
        1);
  }

  private Stream<DynamicTest> each(Consumer<HeadSettings> test) {
    return settings()
        .map(tried -> DynamicTest.dynamicTest(tried.toString(), () -> test.accept(tried)));
  }

  // ---- what a step does ----------------------------------------------------------------------

  @TestFactory
  Stream<DynamicTest> lossesGradientsAndRowsAreThoseOfTheHost() {
    return each(this::compareWithHost);
  }

  private void compareWithHost(HeadSettings settings) {
    try (var run = new Run(settings);
        var host = new HeadScene(settings, run.engine);
        var softmax =
            new SoftmaxHead(settings.loss(), host.weights(), settings.batchSize(), run.engine)) {
      var optimizer =
          new SparseOptimizer(settings.optimizer(), host.weights().matrix(), run.engine);
      run.head.begin();
      for (int step = 0; step < STEPS; step++) {
        host.embed(step);
        optimizer.beginStep(rate(step));
        double loss = run.forward(step);
        ActiveClasses active = run.head.active();
        optimizer.catchUp(active.numActive(), active::classId, run.engine.workers());
        double expected = softmax.forward(host.embeddings(), active);
        assertEquals(expected, loss, tolerance() * Math.max(1, expected), "loss, step " + step);
        assertExampleLosses(softmax, run, "step " + step);
        run.backward(step);
        softmax.backward(host.embeddings(), active, optimizer);
        optimizer.endStep();
        assertGradients(host, run.scene, "step " + step);
      }
      run.head.catchUpAll();
      run.head.synchronise();
      optimizer.catchUpAll(run.engine.workers());
      assertRows(settings, host, run.scene);
    }
  }

  private void assertExampleLosses(SoftmaxHead expected, Run run, String where) {
    for (int i = 0; i < run.scene.targets().length; i++) {
      double loss = expected.exampleLoss(i);
      double allowed = tolerance() * Math.max(1, Math.abs(loss));
      assertEquals(loss, run.head.exampleLoss(i), allowed, "loss of sample " + i + ", " + where);
    }
  }

  private void assertGradients(HeadScene expected, HeadScene actual, String where) {
    int dim = expected.embeddings().dim();
    for (int i = 0; i < expected.targets().length; i++) {
      int sample = i;
      double largest =
          IntStream.range(0, dim)
              .mapToDouble(j -> Math.abs(expected.embeddings().gradient(sample, j)))
              .max()
              .orElseThrow();
      for (int j = 0; j < dim; j++) {
        assertEquals(
            expected.embeddings().gradient(i, j),
            actual.embeddings().gradient(i, j),
            tolerance() * largest,
            "gradient of sample %d, column %d, %s".formatted(i, j, where));
      }
    }
  }

  private void assertRows(HeadSettings settings, HeadScene expected, HeadScene actual) {
    var rows = expected.weights().matrix();
    boolean rounded = settings.dtype() == RowFormat.BF16;
    for (int c = 0; c < settings.numClasses(); c++) {
      int row = c;
      double length =
          Math.sqrt(
              IntStream.range(0, settings.width())
                  .mapToDouble(j -> rows.get(row, j) * (double) rows.get(row, j))
                  .sum());
      for (int j = 0; j < settings.width(); j++) {
        double one = rows.get(c, j);
        double other = actual.weights().matrix().get(c, j);
        // A number may be rounded the other way in each step and in each catch-up before it.
        double rounding = rounded ? 2 * STEPS * Math.abs(one) / 128 : 0;
        assertEquals(one, other, tolerance() * length + rounding, "row " + c + ", column " + j);
      }
      if (rows.state().lastStep()) {
        assertEquals(rows.lastStep(c), actual.weights().matrix().lastStep(c), "step of row " + c);
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> targetsAreActiveAndTheNumbersAgree() {
    return each(
        settings -> {
          try (var run = new Run(settings)) {
            run.head.begin();
            for (int step = 0; step < STEPS; step++) {
              double loss = run.step(step);
              assertWellFormed(run.head.active(), run.scene.targets(), settings.numClasses());
              assertEquals(run.head.active().numActive(), run.head.numActive());
              assertTrue(run.head.weightRows() >= run.head.numActive());
              assertTrue(run.head.weightRows() <= settings.numClasses());
              double sum = 0;
              for (int i = 0; i < run.scene.targets().length; i++) {
                sum += run.head.exampleLoss(i);
              }
              double mean = sum / run.scene.targets().length;
              assertEquals(mean, loss, 1e-6 * Math.max(1, mean), "mean of the losses");
            }
          }
        });
  }

  private static void assertWellFormed(ActiveClasses active, int[] targets, int numClasses) {
    for (int j = 0; j < active.numActive(); j++) {
      int before = j == 0 ? -1 : active.classId(j - 1);
      assertTrue(active.classId(j) > before, "ids ascend");
      assertTrue(active.classId(j) < numClasses, "there is such a class");
    }
    for (int i = 0; i < targets.length; i++) {
      assertEquals(targets[i], active.classId(active.targetPosition(i)), "target of sample " + i);
    }
  }

  // ---- the same bits -------------------------------------------------------------------------

  @TestFactory
  Stream<DynamicTest> theSameCallsGiveTheSameBits() {
    return each(
        settings -> {
          byte[] first = learned(settings, (_, _) -> {});
          assertArrayEquals(first, learned(settings, (_, _) -> {}));
          try (var engine = Engine.start(BACKEND, 1);
              var untrained = new HeadScene(settings, engine)) {
            boolean same = Arrays.equals(first, untrained.snapshot());
            assertEquals(settings.numClasses() == 1, same, "one class has nothing to learn");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> savingChangesNothing() {
    return each(
        settings ->
            assertArrayEquals(
                learned(settings, (_, _) -> {}),
                learned(
                    settings,
                    (run, _) -> {
                      run.head.synchronise();
                      copy(run.head.state());
                    })));
  }

  @TestFactory
  Stream<DynamicTest> lookingAtAChoiceTrainsNothing() {
    return each(
        settings ->
            assertArrayEquals(
                learned(settings, (run, _) -> run.head.catchUpAll()),
                learned(
                    settings,
                    (run, step) -> {
                      run.head.catchUpAll();
                      run.scene.embed(step + 100);
                      run.head.select(run.scene.embeddings(), run.scene.targets(), step + 1);
                    })));
  }

  /** What lies on the host after all steps, between which something else is done. */
  private byte[] learned(HeadSettings settings, Between between) {
    try (var run = new Run(settings)) {
      run.head.begin();
      for (int step = 0; step < STEPS; step++) {
        run.step(step);
        between.act(run, step);
      }
      run.head.catchUpAll();
      run.head.synchronise();
      return run.scene.snapshot();
    }
  }

  @FunctionalInterface
  private interface Between {
    void act(Run run, int step);
  }

  @TestFactory
  Stream<DynamicTest> aRestoredHeadGoesOnAsTheOneThatWasSaved() {
    return each(
        settings -> {
          try (var saved = new Run(settings);
              var restored = new Run(settings)) {
            saved.head.begin();
            IntStream.range(0, SAVED_AFTER).forEach(saved::step);
            saved.head.synchronise();
            restored.scene.copyWeights(saved.scene);
            restored.head.restore(copy(saved.head.state()));
            IntStream.range(0, SAVED_AFTER).forEach(step -> restored.head.skipStep(rate(step)));
            for (int step = SAVED_AFTER; step < STEPS; step++) {
              assertEquals(saved.step(step), restored.step(step), "loss of step " + step);
              assertEquals(saved.head.age(step + 1), restored.head.age(step + 1));
            }
            saved.head.synchronise();
            restored.head.synchronise();
            assertArrayEquals(saved.scene.snapshot(), restored.scene.snapshot());
          }
        });
  }

  private static Function<String, MemorySegment> copy(Map<String, MemorySegment> state) {
    var sections = new HashMap<String, MemorySegment>();
    state.forEach((name, bytes) -> sections.put(name, bytes.asReadOnly()));
    return name -> Objects.requireNonNull(sections.get(name), name);
  }

  // ---- what the tests share ------------------------------------------------------------------

  private static double rate(int step) {
    return 0.05 / (1 + step);
  }

  /** A head with all that it needs. */
  private final class Run implements AutoCloseable {
    private final Engine engine = Engine.start(BACKEND, 2);
    private final HeadScene scene;
    private final TrainingHead head;

    Run(HeadSettings settings) {
      scene = new HeadScene(settings, engine);
      head = head(scene.problem());
    }

    double step(int step) {
      double loss = forward(step);
      backward(step);
      return loss;
    }

    double forward(int step) {
      scene.embed(step);
      head.beginStep(rate(step));
      head.select(scene.embeddings(), scene.targets(), step);
      return head.forward(scene.embeddings());
    }

    void backward(int step) {
      head.backward(scene.embeddings());
      head.endStep(step);
    }

    @Override
    public void close() {
      head.close();
      scene.close();
      engine.close();
    }
  }
}
