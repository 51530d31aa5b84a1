// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.select.SelectorSpec;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Every selector that a text can name, also at the ends of its range. */
class SelectorsKeepTheContractTest {
  /** The contract of a text. */
  abstract static class OfText extends ClassSelectorContract {
    private final String text;
    private final boolean unbiased;

    OfText(String text, boolean unbiased) {
      this.text = text;
      this.unbiased = unbiased;
    }

    @Override
    protected ClassSelector selector(SelectionProblem problem) {
      return ClassSelector.of(SelectorSpec.parse(text), problem);
    }

    @Override
    protected boolean unbiased() {
      return unbiased;
    }
  }

  @Nested
  class All extends OfText {
    All() {
      super("all", true);
    }
  }

  @Nested
  class Uniform extends OfText {
    Uniform() {
      super("uniform(0.1)", false);
    }
  }

  @Nested
  class UniformOfAllClasses extends OfText {
    UniformOfAllClasses() {
      super("uniform(1)", true);
    }
  }

  @Nested
  class UniformOfTargetsAlone extends OfText {
    UniformOfTargetsAlone() {
      super("uniform(0.000001)", false);
    }
  }

  @Nested
  class UniformCorrected extends OfText {
    UniformCorrected() {
      super("uniform(0.1, corrected=true)", true);
    }
  }

  @Nested
  class UniformWithTail extends OfText {
    UniformWithTail() {
      super("uniform(0.1) + tail(0.5)", true);
    }
  }

  @Nested
  class ExactTop extends OfText {
    ExactTop() {
      super("exactTop(40)", false);
    }
  }

  @Nested
  class ExactTopOfTargetsAlone extends OfText {
    ExactTopOfTargetsAlone() {
      super("exactTop(1)", false);
    }
  }

  @Nested
  class ExactTopOfMoreThanAllClasses extends OfText {
    ExactTopOfMoreThanAllClasses() {
      super("exactTop(5000)", true);
    }
  }

  @Nested
  class ExactTopWithTail extends OfText {
    ExactTopWithTail() {
      super("exactTop(40) + tail(0.25)", true);
    }
  }

  @Nested
  class ExactTopWithTailAsLongAsItself extends OfText {
    ExactTopWithTailAsLongAsItself() {
      super("exactTop(500) + tail(1)", true);
    }
  }

  /** The contract of a text whose classes are found by an index. */
  abstract static class OfIndex extends OfText {
    OfIndex(String text, boolean unbiased) {
      super(text, unbiased);
    }

    @Override
    protected boolean remembers() {
      return true;
    }

    @Override
    protected boolean sameOnEveryBackend() {
      return false;
    }
  }

  @Nested
  class Ivf extends OfIndex {
    Ivf() {
      super("ivf(0.1, numLists=1, numProbes=1, repairEvery=3)", false);
    }
  }

  @Nested
  class IvfAsItComes extends OfIndex {
    IvfAsItComes() {
      super("ivf(0.05)", false);
    }
  }

  @Nested
  class IvfByHamming extends OfIndex {
    IvfByHamming() {
      super("ivf(0.1, code=hamming)", false);
    }
  }

  @Nested
  class IvfOfCoverage extends OfIndex {
    IvfOfCoverage() {
      super("ivf(coverage=0.9)", false);
    }
  }

  @Nested
  class IvfAdaptive extends OfIndex {
    IvfAdaptive() {
      super("ivf(0.5) + adaptive(0.9, probeEvery=2)", false);
    }
  }

  @Nested
  class ForestAdaptive extends OfIndex {
    ForestAdaptive() {
      super("forest(0.5, numTrees=3) + adaptive(0.9, probeEvery=2)", false);
    }
  }

  @Nested
  class IvfWithTail extends OfIndex {
    IvfWithTail() {
      super("ivf(0.1) + tail(0.25)", true);
    }
  }

  @Nested
  class Forest extends OfIndex {
    Forest() {
      super("forest(0.1, numTrees=3, leafSize=2, refreshEvery=2)", false);
    }
  }

  @Nested
  class Neighbours extends OfIndex {
    Neighbours() {
      super("neighbours(0.1, numNeighbours=3, refreshEvery=2)", false);
    }
  }

  @Nested
  class NeighboursAsTheyComeWithTail extends OfIndex {
    NeighboursAsTheyComeWithTail() {
      super("neighbours(0.1) + tail(0.25)", true);
    }
  }

  @Nested
  class IvfAfterUniform extends OfIndex {
    IvfAfterUniform() {
      super("ivf(0.1) + tail(0.25) + curriculum(5)", true);
    }
  }

  @Nested
  class Auto extends OfIndex {
    Auto() {
      super("auto(0.1, tuneAfter=2)", true);
    }
  }

  @Nested
  class UniformInGroups extends OfText {
    UniformInGroups() {
      super("uniform(0.1) + groups(3)", false);
    }
  }

  @Nested
  class ForestAsItComes extends OfIndex {
    ForestAsItComes() {
      super("forest(0.05)", false);
    }
  }

  @Nested
  class UniformCorrectedWithEachSampleAGroup extends OfText {
    UniformCorrectedWithEachSampleAGroup() {
      super("uniform(0.1, corrected=true) + groups(4096)", true);
    }
  }

  @Nested
  class ForestThatFollowsBranches extends OfIndex {
    ForestThatFollowsBranches() {
      super(
          "forest(0.2, numTrees=2, leafSize=3, numCandidates=50, refreshEvery=1,"
              + " refreshDrift=0.01)",
          false);
    }
  }

  @Nested
  class ExactTopInOneGroup extends OfText {
    ExactTopInOneGroup() {
      super("exactTop(40) + groups(1)", false);
    }
  }

  @Nested
  class ForestWithTail extends OfIndex {
    ForestWithTail() {
      super("forest(0.1, numTrees=4, leafSize=5000) + tail(0.25)", true);
    }
  }

  @Nested
  class ExactTopWithTailInGroups extends OfText {
    ExactTopWithTailInGroups() {
      super("exactTop(40) + tail(0.25) + groups(2)", true);
    }
  }

  @Nested
  class IvfInGroups extends OfIndex {
    IvfInGroups() {
      super("ivf(0.1, repairEvery=3) + groups(4)", false);
    }
  }

  @Nested
  class IvfWithTailInGroups extends OfIndex {
    IvfWithTailInGroups() {
      super("ivf(0.1) + tail(0.25) + groups(2)", true);
    }
  }

  @Test
  void noKindOfSelectorIsForgotten() {
    Set<Class<?>> tried =
        Stream.of(SelectorsKeepTheContractTest.class.getDeclaredClasses())
            .filter(contract -> contract.isAnnotationPresent(Nested.class))
            .map(SelectorsKeepTheContractTest::specClass)
            .collect(Collectors.toSet());
    assertEquals(Set.copyOf(List.of(SelectorSpec.class.getPermittedSubclasses())), tried);
  }

  private static Class<?> specClass(Class<?> contract) {
    try {
      var made =
          contract
              .getDeclaredConstructor(SelectorsKeepTheContractTest.class)
              .newInstance(new SelectorsKeepTheContractTest());
      return SelectorSpec.parse(((OfText) made).text).getClass();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
