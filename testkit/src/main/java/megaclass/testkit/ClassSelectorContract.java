// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.select.ActiveClasses;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.testkit.SelectionScene.Choice;
import megaclass.testkit.SelectionScene.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every {@link ClassSelector} must keep to, as tests: extend it in the tests of a new selector
 * and say how one is made.
 *
 * <ul>
 *   <li>All targets are active, none twice, in ascending order of ids; there are never more active
 *       classes than classes, whatever the sizes and however targets repeat.
 *   <li>A class that stands for itself has log weight 0, and a target always does: it is no draw of
 *       a tail, not even by accident.
 *   <li>All this holds in each group; each sample is in one group. What is foreseen comes true.
 *   <li>The choice is a function of weights, batch, seed and step: not of threads, of earlier
 *       calls, or of the backend, and the selector changes nothing that it is lent.
 *   <li>Weights of zero, equal weights and classes that never were a target are nothing special.
 *   <li>If it claims so, the estimate of Z that its log weights make is right on average.
 * </ul>
 *
 * Tests run on the backend that {@code -Dmegaclass.backend} names, {@code auto} by default.
 */
public abstract class ClassSelectorContract {
  private static final String BACKEND = System.getProperty("megaclass.backend", "auto");
  private static final long SEED = 20;

  /** For subclasses. */
  protected ClassSelectorContract() {}

  /**
   * Makes the selector under test, which is closed when a test is done with it.
   *
   * @param problem whose weights have their values and may have a bias
   */
  protected abstract ClassSelector selector(SelectionProblem problem);

  /**
   * Whether E[Zhat] = Z: on average over the steps, the sum of exp(logit + log weight) over the
   * active classes is that of exp(logit) over all. If not, every class stands for itself.
   */
  protected boolean unbiased() {
    return false;
  }

  /**
   * Whether rounding has no say in the choice when the sums of all products are exact, so that all
   * backends choose the same.
   */
  protected boolean sameOnEveryBackend() {
    return true;
  }

  /**
   * Whether the choice also depends on where weights were before, as that of an index does, which
   * follows them. It must then follow from {@link ClassSelector#state}.
   */
  protected boolean remembers() {
    return false;
  }

  static Stream<Size> sizes() {
    return Stream.of(
        new Size(1, 1, 3, false, false),
        new Size(1, 65, 16, true, false),
        new Size(2, 1, 33, true, false, RowFormat.BF16),
        new Size(2, 130, 3, false, true),
        new Size(63, 1, 16, false, true),
        new Size(63, 63, 33, false, false, RowFormat.BF16),
        new Size(63, 130, 3, true, false),
        new Size(129, 65, 33, false, true),
        new Size(700, 1, 33, true, false, RowFormat.BF16),
        new Size(700, 63, 16, false, false),
        new Size(700, 65, 3, false, true),
        new Size(1031, 130, 16, true, false, RowFormat.BF16));
  }

  // ---- which classes -------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("sizes")
  void theTargetsAreAlwaysAmongTheActive(Size size) {
    inSteps(size, 5, SelectionChecks::assertTargetsAreActive);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void noClassIsActiveTwiceAndIdsAscendInRange(Size size) {
    inSteps(size, 5, SelectionChecks::assertIdsAscendInRange);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void thereAreNoMoreActiveClassesThanClasses(Size size) {
    inSteps(
        size,
        5,
        (scene, active) -> {
          assertTrue(active.numActive() <= size.numClasses(), active.numActive() + " are active");
          long targets = Arrays.stream(scene.targets()).distinct().count();
          assertTrue(active.numActive() >= targets, active.numActive() + " are active");
        });
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void allSamplesMayHaveOneTarget(Size size) {
    try (var run = new Run(size, BACKEND, 2)) {
      int[] targets = new int[size.batch()];
      Arrays.fill(targets, size.numClasses() - 1);
      run.scene.embed(3, targets);
      SelectionChecks.assertWellFormed(run.scene, run.select(0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 130})
  void allClassesMayBeTargetsAndThenStandForThemselves(int numClasses) {
    var size = new Size(numClasses, 130, 16, true, false);
    try (var run = new Run(size, BACKEND, 2)) {
      run.scene.embed(3, IntStream.range(0, 130).map(i -> (i + 7) % numClasses).toArray());
      ActiveClasses active = run.select(0);
      SelectionChecks.assertWellFormed(run.scene, active);
      assertEquals(numClasses, active.numActive());
      for (int j = 0; j < numClasses; j++) {
        assertEquals(0f, active.logWeight(j), "log weight of class " + j);
      }
    }
  }

  // ---- log weights ---------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("sizes")
  void logWeightsAreZeroForTargetsAndForAllThatStandForThemselves(Size size) {
    inSteps(
        size,
        5,
        (scene, active) -> {
          SelectionChecks.assertLogWeights(scene, active);
          if (!unbiased()) {
            SelectionChecks.assertAllStandForThemselves(active);
          }
        });
  }

  /** With a third of the classes as targets, a careless tail draws one of them at once. */
  @Test
  void anAccidentalHitNeverAppearsInTheTail() {
    inSteps(new Size(30, 10, 16, true, false), 200, SelectionChecks::assertWellFormed);
  }

  static Stream<Size> sizesOfEstimates() {
    return Stream.of(
        new Size(97, 2, 3, false, false, RowFormat.BF16),
        new Size(150, 3, 33, true, false),
        new Size(200, 3, 16, false, true));
  }

  @ParameterizedTest
  @MethodSource("sizesOfEstimates")
  void theEstimateOfZIsRightOnAverage(Size size) {
    assumeTrue(unbiased(), "this selector does not claim that its estimate of Z is unbiased");
    try (var run = new Run(size, BACKEND, 1)) {
      run.scene.embed(3);
      SelectionChecks.assertUnbiased(run.scene, run::select);
    }
  }

  // ---- what the choice depends on ------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("sizes")
  void oneThreadAndThreeChooseTheSame(Size size) {
    assertSame(choices(size, BACKEND, 1), choices(size, BACKEND, 3));
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void scalarAndFastestBackendChooseTheSame(Size size) {
    assumeTrue(sameOnEveryBackend(), "rounding has a say in what this selector chooses");
    assertSame(choices(size, "scalar", 2), choices(size, "auto", 2));
  }

  private static void assertSame(List<Choice> expected, List<Choice> actual) {
    for (int step = 0; step < expected.size(); step++) {
      SelectionChecks.assertSame(expected.get(step), actual.get(step), "in step " + step);
    }
  }

  private List<Choice> choices(Size size, String backend, int threads) {
    var choices = new ArrayList<Choice>();
    try (var run = new Run(size, backend, threads)) {
      for (int step = 0; step < 3; step++) {
        run.scene.embed(step);
        choices.add(run.choose(step));
      }
    }
    return choices;
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void aRepeatedCallChoosesTheSame(Size size) {
    try (var run = new Run(size, BACKEND, 2)) {
      run.scene.embed(3);
      Choice first = run.choose(4);
      SelectionChecks.assertSame(first, run.choose(4), "at once");
      run.choose(5);
      SelectionChecks.assertSame(first, run.choose(4), "after another step");
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void aFreshSelectorChoosesAsOneThatHasSeenEarlierSteps(Size size) {
    try (var old = new Run(size, BACKEND, 2);
        var fresh = new Run(size, BACKEND, 2)) {
      for (int step = 0; step < 4; step++) {
        // Larger batches too, which must leave nothing behind.
        old.scene.embed(step, IntStream.range(0, 130).map(i -> i % size.numClasses()).toArray());
        old.select(step);
      }
      old.scene.embed(9);
      fresh.scene.embed(9);
      SelectionChecks.assertSame(fresh.choose(4), old.choose(4), "by the old one");
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void weightsThatMovedAreSeenWhereTheyAreNow(Size size) {
    assumeTrue(!remembers(), "this selector remembers where weights were");
    int[] moved = IntStream.range(0, size.numClasses()).filter(c -> c % 3 == 0).toArray();
    try (var old = new Run(size, BACKEND, 2);
        var fresh = new Run(size, BACKEND, 2, scene -> move(scene, moved))) {
      old.scene.embed(9);
      old.select(0);
      move(old.scene, moved);
      Arrays.stream(moved).forEach(c -> old.selector.moved(c, 0));
      fresh.scene.embed(9);
      SelectionChecks.assertSame(fresh.choose(1), old.choose(1), "by the old one");
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void aRestoredSelectorChoosesAsTheOneThatWasSaved(Size size) {
    int[] moved = IntStream.range(0, size.numClasses()).filter(c -> c % 3 == 0).toArray();
    try (var saved = new Run(size, BACKEND, 2);
        var restored = new Run(size, BACKEND, 2, scene -> move(scene, moved))) {
      saved.selector.endStep(3);
      move(saved.scene, moved);
      Arrays.stream(moved).forEach(c -> saved.selector.moved(c, 0));
      saved.selector.endStep(4);
      var state = saved.selector.state();
      restored.selector.restore(name -> Objects.requireNonNull(state.get(name)));
      for (int step = 5; step < 8; step++) {
        saved.scene.embed(step);
        restored.scene.embed(step);
        SelectionChecks.assertSame(saved.choose(step), restored.choose(step), "in step " + step);
        saved.selector.endStep(step);
        restored.selector.endStep(step);
      }
    }
  }

  private static void move(SelectionScene scene, int[] classIds) {
    for (int c : classIds) {
      scene.setWeight(c, SelectionScene.grid(2));
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void nothingThatTheSelectorIsLentIsChanged(Size size) {
    try (var run = new Run(size, BACKEND, 2)) {
      for (int step = 0; step < 3; step++) {
        run.scene.embed(step);
        byte[] before = run.scene.snapshot();
        run.select(step);
        assertArrayEquals(before, run.scene.snapshot(), "weights, embeddings or targets changed");
      }
    }
  }

  // ---- weights and classes that are odd but allowed ------------------------------------------

  @ParameterizedTest
  @MethodSource("sizes")
  void weightsOfZeroAreFine(Size size) {
    assertFine(size, (_, _) -> 0f);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void someWeightsOfZeroAreFine(Size size) {
    var grid = SelectionScene.grid(1);
    assertFine(size, (c, j) -> c % 2 == 0 ? 0f : grid.at(c, j));
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void equalWeightsAreFine(Size size) {
    assertFine(size, (_, j) -> j % 2 == 0 ? 0.5f : -0.25f);
  }

  private void assertFine(Size size, SelectionScene.Values values) {
    try (var one = new Run(size, BACKEND, 1, scene -> scene.setWeights(values));
        var three = new Run(size, BACKEND, 3, scene -> scene.setWeights(values))) {
      for (int step = 0; step < 3; step++) {
        one.scene.embed(step);
        three.scene.embed(step);
        ActiveClasses active = one.select(step);
        SelectionChecks.assertWellFormed(one.scene, active);
        SelectionChecks.assertSame(one.scene.choice(active), three.choose(step), "by 3 threads");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void aClassThatNeverWasATargetIsFine(Size size) {
    try (var run = new Run(size, BACKEND, 2)) {
      for (int step = 0; step < 20; step++) {
        run.scene.embed(step, new int[size.batch()]);
        SelectionChecks.assertWellFormed(run.scene, run.select(step));
      }
    }
  }

  // ---- what the tests share ------------------------------------------------------------------

  private void inSteps(Size size, int steps, BiConsumer<SelectionScene, ActiveClasses> check) {
    try (var run = new Run(size, BACKEND, 2)) {
      for (int step = 0; step < steps; step++) {
        run.scene.embed(step);
        check.accept(run.scene, run.select(step));
      }
    }
  }

  /** A selector with all that it needs. */
  private final class Run implements AutoCloseable {
    private final Engine engine;
    private final SelectionScene scene;
    private final ClassSelector selector;

    Run(Size size, String backend, int threads) {
      this(size, backend, threads, _ -> {});
    }

    /** The weights have the values that {@code start} gives them before the selector is made. */
    Run(Size size, String backend, int threads, Consumer<SelectionScene> start) {
      engine = Engine.start(backend, threads);
      scene = new SelectionScene(size, engine);
      start.accept(scene);
      selector = selector(scene.problem(SEED));
      selector.begin();
    }

    ActiveClasses select(long step) {
      return scene.select(selector, step);
    }

    Choice choose(long step) {
      return scene.choice(select(step));
    }

    @Override
    public void close() {
      selector.close();
      scene.close();
      engine.close();
    }
  }
}
