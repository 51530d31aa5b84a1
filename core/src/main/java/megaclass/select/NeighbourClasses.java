// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.index.Candidates;
import megaclass.index.ClassIndex;
import megaclass.internal.Ranking;
import megaclass.select.SelectorSpec.Neighbours;

/**
 * The classes next to the targets: each class keeps a list of those whose weights are nearest to
 * its own, so that a batch only reads the lists of its targets (label-side neighbours, as in
 * KNN-Softmax: KDD 2020). Nearest ones of all targets come first, then second ones, until there are
 * enough.
 *
 * <p>A list is made by an inverted file when its class is a target for the first time, and anew
 * when it has become old: lists of classes that do not occur cost nothing.
 */
final class NeighbourClasses implements ClassSelector {
  private static final int NONE = -1;
  private static final String STATE_LISTS = "neighbours";
  private static final String STATE_STEPS = "neighbourSteps";

  private final ClassIndex index;
  private final RowMatrix rows;
  private final int numActive;
  private final int numNeighbours;
  private final int refreshEvery;
  private final Embeddings queries;
  private final Candidates candidates;

  /** Neighbours of each class, nearest first, (numClasses, numNeighbours), filled up with -1. */
  private final MemorySegment lists;

  /** Number of steps that were done when the list of a class was made, (numClasses); or -1. */
  private final MemorySegment madeAfter;

  private long stepsDone;

  /**
   * Selects.
   *
   * @param index finds the neighbours; closed with this
   */
  NeighbourClasses(ClassIndex index, Neighbours spec, SelectionProblem problem) {
    this.index = index;
    rows = problem.weights().matrix();
    numActive = ClassIndexes.numActive(spec, rows.numRows());
    numNeighbours = ClassIndexes.numNeighbours(spec, rows.numRows(), problem.batchSize());
    refreshEvery = spec.refreshEvery();
    int dim = problem.weights().dim();
    var shape = new Embeddings.Shape(dim, problem.normalised(), rows.width() > dim);
    queries = new Embeddings(problem.batchSize(), shape, problem.engine());
    candidates = new Candidates(problem.batchSize());
    lists = NativeMemory.allocate(4L * rows.numRows() * numNeighbours, Arena.ofAuto());
    madeAfter = NativeMemory.allocate(8L * rows.numRows(), Arena.ofAuto());
    forget();
  }

  private void forget() {
    for (int c = 0; c < rows.numRows(); c++) {
      madeAfter.setAtIndex(JAVA_LONG_UNALIGNED, c, NONE);
    }
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    var set = new ClassSet(Math.max(numActive, targets.length)).addAll(targets);
    int[] distinct = set.sorted();
    makeLists(Arrays.stream(distinct).filter(this::isOld).toArray());
    for (int rank = 0; rank < numNeighbours && set.size() < numActive; rank++) {
      for (int i = 0; i < distinct.length && set.size() < numActive; i++) {
        int neighbour = neighbour(distinct[i], rank);
        if (neighbour != NONE) {
          set.add(neighbour);
        }
      }
    }
    return ActiveClasses.of(set.sorted(), null, targets);
  }

  private boolean isOld(int classId) {
    long made = madeAfter.getAtIndex(JAVA_LONG_UNALIGNED, classId);
    return made == NONE || stepsDone - made >= refreshEvery;
  }

  private int neighbour(int classId, int rank) {
    return lists.getAtIndex(JAVA_INT_UNALIGNED, (long) classId * numNeighbours + rank);
  }

  private void makeLists(int[] classIds) {
    if (classIds.length == 0) {
      return;
    }
    queries.gatherRows(rows, classIds);
    index.search(queries, 1, candidates);
    for (int i = 0; i < classIds.length; i++) {
      makeList(classIds[i], i);
    }
  }

  private void makeList(int classId, int query) {
    long[] ranked = new long[candidates.size(query)];
    for (int i = 0; i < ranked.length; i++) {
      ranked[i] = Ranking.key(candidates.score(query, i), candidates.classId(query, i));
    }
    Arrays.sort(ranked);
    long at = (long) classId * numNeighbours;
    int kept = 0;
    for (int i = 0; i < ranked.length && kept < numNeighbours; i++) {
      if (Ranking.id(ranked[i]) != classId) {
        lists.setAtIndex(JAVA_INT_UNALIGNED, at + kept++, Ranking.id(ranked[i]));
      }
    }
    for (; kept < numNeighbours; kept++) {
      lists.setAtIndex(JAVA_INT_UNALIGNED, at + kept, NONE);
    }
    madeAfter.setAtIndex(JAVA_LONG_UNALIGNED, classId, stepsDone);
  }

  @Override
  public void begin() {
    index.build();
    forget();
  }

  @Override
  public void moved(int classId, int worker) {
    index.moved(classId, worker);
  }

  @Override
  public void endStep(long step) {
    stepsDone = step + 1;
    index.endStep(step);
  }

  @Override
  public Map<String, MemorySegment> state() {
    var state = new HashMap<>(index.state());
    MemorySegment steps = NativeMemory.allocate(8L * rows.numRows() + 8, Arena.ofAuto());
    MemorySegment.copy(madeAfter, 0, steps, 8, 8L * rows.numRows());
    steps.set(JAVA_LONG_UNALIGNED, 0, stepsDone);
    state.put(STATE_LISTS, lists);
    state.put(STATE_STEPS, steps);
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    index.restore(sections);
    lists.copyFrom(sections.apply(STATE_LISTS));
    MemorySegment steps = sections.apply(STATE_STEPS);
    stepsDone = steps.get(JAVA_LONG_UNALIGNED, 0);
    madeAfter.copyFrom(steps.asSlice(8));
  }

  @Override
  public void close() {
    queries.close();
    index.close();
  }
}
