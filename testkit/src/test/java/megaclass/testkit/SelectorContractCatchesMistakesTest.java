// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import megaclass.compute.Engine;
import megaclass.select.ActiveClasses;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.select.SelectorSpec;
import megaclass.testkit.SelectionScene.Size;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.api.Test;

/** Selectors that are wrong in one way each do not pass the contract. */
class SelectorContractCatchesMistakesTest {
  private static final Size SIZE = new Size(63, 20, 16, true, false);

  /** How a selector under test is made. */
  @FunctionalInterface
  private interface Maker {
    ClassSelector make(ClassWeights weights, Engine engine);
  }

  private static final class Tried extends ClassSelectorContract {
    private final Maker maker;

    Tried(Maker maker) {
      this.maker = maker;
    }

    @Override
    protected ClassSelector selector(SelectionProblem problem) {
      return maker.make(problem.weights(), problem.engine());
    }

    @Override
    protected boolean unbiased() {
      return true;
    }
  }

  private static ClassSelectorContract of(Maker maker) {
    return new Tried(maker);
  }

  private static ClassSelectorContract ofSpec(String text) {
    return of(
        (w, e) ->
            ClassSelector.of(
                SelectorSpec.parse(text), new SelectionProblem(w, true, 16, 130, 5, e)));
  }

  /** The first {@code count} classes, and all with a target. */
  private static int[] first(int count, int[] targets) {
    return IntStream.concat(IntStream.range(0, count), Arrays.stream(targets))
        .distinct()
        .sorted()
        .toArray();
  }

  private static void assertFails(Runnable test) {
    assertThrows(AssertionError.class, test::run);
  }

  @Test
  void aClassThatIsActiveTwiceIsCaught() {
    var contract =
        of(
            (w, _) ->
                (_, targets, _) -> {
                  int[] ids =
                      IntStream.range(0, 2 * w.numClasses()).map(i -> (i + 1) / 2).toArray();
                  return ActiveClasses.of(ids, null, targets);
                });
    assertFails(() -> contract.noClassIsActiveTwiceAndIdsAscendInRange(SIZE));
    assertFails(() -> contract.thereAreNoMoreActiveClassesThanClasses(SIZE));
  }

  /** The even samples and the odd ones, with classes of their own. */
  private static ActiveClasses inTwoGroups(int[] targets, IntFunction<ActiveClasses> ofGroup) {
    List<ActiveClasses.Group> groups = new ArrayList<>();
    for (int g = 0; g < 2; g++) {
      int number = g;
      int[] samples = IntStream.range(0, targets.length).filter(i -> i % 2 == number).toArray();
      groups.add(new ActiveClasses.Group(samples, ofGroup.apply(g)));
    }
    return ActiveClasses.ofGroups(groups, targets);
  }

  private static int[] everySecond(int[] targets, int from) {
    return IntStream.range(0, targets.length)
        .filter(i -> i % 2 == from)
        .map(i -> targets[i])
        .toArray();
  }

  @Test
  void aGroupWithTheTargetsOfAnotherIsCaught() {
    var contract =
        of(
            (_, _) ->
                (_, targets, _) ->
                    inTwoGroups(
                        targets,
                        g -> {
                          int[] others = everySecond(targets, 1 - g);
                          return ActiveClasses.of(first(20, others), null, others);
                        }));
    assertFails(() -> contract.theTargetsAreAlwaysAmongTheActive(SIZE));
  }

  @Test
  void aBiasedGroupIsCaughtAndSoIsASampleInTwo() {
    var size = new Size(150, 4, 33, true, false);
    var biased =
        of(
            (w, _) ->
                (_, targets, _) ->
                    inTwoGroups(
                        targets,
                        g -> {
                          int count = g == 0 ? w.numClasses() : 40;
                          int[] own = everySecond(targets, g);
                          return ActiveClasses.of(first(count, own), null, own);
                        }));
    assertFails(() -> biased.theEstimateOfZIsRightOnAverage(size));
    var twice =
        of(
            (_, _) ->
                (_, targets, _) -> {
                  var all = ActiveClasses.of(first(40, targets), null, targets);
                  int[] samples = IntStream.range(0, targets.length).toArray();
                  var group = new ActiveClasses.Group(samples, all);
                  return ActiveClasses.ofGroups(List.of(group, group), targets);
                });
    assertFails(() -> twice.equalWeightsAreFine(SIZE));
  }

  @Test
  void anIdOutOfRangeIsCaught() {
    var contract =
        of(
            (w, _) ->
                (_, targets, _) -> {
                  int[] ids = first(w.numClasses() + 1, targets);
                  return ActiveClasses.of(ids, null, targets);
                });
    assertFails(() -> contract.noClassIsActiveTwiceAndIdsAscendInRange(SIZE));
    assertFails(() -> contract.allSamplesMayHaveOneTarget(SIZE));
    assertFails(() -> contract.aClassThatNeverWasATargetIsFine(SIZE));
  }

  @Test
  void targetsOfTheWrongSamplesAreCaught() {
    var contract =
        of(
            (w, _) ->
                (_, targets, _) -> {
                  int[] reversed =
                      IntStream.range(0, targets.length)
                          .map(i -> targets[targets.length - 1 - i])
                          .toArray();
                  return ActiveClasses.of(first(w.numClasses(), targets), null, reversed);
                });
    assertFails(() -> contract.theTargetsAreAlwaysAmongTheActive(SIZE));
  }

  @Test
  void aTargetWithALogWeightIsCaught() {
    var contract =
        of(
            (_, _) ->
                (_, targets, step) -> {
                  int[] ids = first(40, targets);
                  var logWeights = new float[ids.length];
                  logWeights[(int) (step % ids.length)] = 0.5f; // sooner or later it is a target
                  return ActiveClasses.of(ids, logWeights, targets);
                });
    assertFails(contract::anAccidentalHitNeverAppearsInTheTail);
  }

  @Test
  void logWeightsOfAWholeSelectionAndInfiniteOnesAreCaught() {
    var half =
        of(
            (w, _) ->
                (_, targets, _) -> {
                  var logWeights = new float[w.numClasses()];
                  Arrays.fill(logWeights, 0.1f);
                  return ActiveClasses.of(first(w.numClasses(), targets), logWeights, targets);
                });
    assertFails(() -> half.allClassesMayBeTargetsAndThenStandForThemselves(63));
    assertFails(() -> half.logWeightsAreZeroForTargetsAndForAllThatStandForThemselves(SIZE));
    var infinite =
        of(
            (w, _) ->
                (_, targets, _) -> {
                  var logWeights = new float[w.numClasses()];
                  logWeights[w.numClasses() - 1] = Float.POSITIVE_INFINITY;
                  return ActiveClasses.of(first(w.numClasses(), targets), logWeights, targets);
                });
    assertFails(() -> infinite.logWeightsAreZeroForTargetsAndForAllThatStandForThemselves(SIZE));
  }

  @Test
  void anEstimateThatIsWrongOnAverageIsCaught() {
    var size = new Size(150, 3, 33, true, false);
    for (String biased : new String[] {"uniform(0.1)", "exactTop(40)", "exactTop(140)"}) {
      assertFails(() -> ofSpec(biased).theEstimateOfZIsRightOnAverage(size));
    }
    ofSpec("exactTop(40) + tail(0.25)").theEstimateOfZIsRightOnAverage(size);
  }

  @Test
  void aChoiceThatDependsOnThreadsOrBackendIsCaught() {
    var threads = of((_, e) -> (_, targets, _) -> ofSize(e.workers().threads(), targets));
    assertFails(() -> threads.oneThreadAndThreeChooseTheSame(SIZE));
    assertFails(() -> threads.equalWeightsAreFine(SIZE));
    assertFails(() -> threads.weightsOfZeroAreFine(SIZE));
    assertFails(() -> threads.someWeightsOfZeroAreFine(SIZE));
    var backend =
        of((_, e) -> (_, targets, _) -> ofSize(e.backend().description().length(), targets));
    assertFails(() -> backend.scalarAndFastestBackendChooseTheSame(SIZE));
  }

  private static ActiveClasses ofSize(int count, int[] targets) {
    return ActiveClasses.of(first(40 + count, targets), null, targets);
  }

  @Test
  void aChoiceThatDependsOnEarlierCallsIsCaught() {
    var contract =
        of(
            (_, _) -> {
              var calls = new AtomicInteger();
              return (_, targets, _) -> ofSize(calls.getAndIncrement(), targets);
            });
    assertFails(() -> contract.aRepeatedCallChoosesTheSame(SIZE));
    assertFails(() -> contract.aFreshSelectorChoosesAsOneThatHasSeenEarlierSteps(SIZE));
  }

  @Test
  void weightsThatAreReadOnlyOnceAreCaught() {
    var contract =
        of(
            (w, _) -> {
              int count = Math.round(40 + 8 * w.matrix().get(0, 0));
              return (_, targets, _) -> ofSize(count, targets);
            });
    assertFails(() -> contract.weightsThatMovedAreSeenWhereTheyAreNow(SIZE));
  }

  @Test
  void aSelectorThatWritesToWhatItIsLentIsCaught() {
    var weights =
        of(
            (w, _) ->
                (_, targets, _) -> {
                  w.matrix().set(3, 0, 9);
                  return ofSize(0, targets);
                });
    assertFails(() -> weights.nothingThatTheSelectorIsLentIsChanged(SIZE));
    var targetsSorted =
        of(
            (_, _) ->
                (_, targets, _) -> {
                  Arrays.sort(targets);
                  return ofSize(0, targets);
                });
    assertFails(() -> targetsSorted.nothingThatTheSelectorIsLentIsChanged(SIZE));
  }
}
