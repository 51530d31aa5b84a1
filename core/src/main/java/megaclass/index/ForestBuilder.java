// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.Hash;

/**
 * Builds the trees of a forest.
 *
 * <p>Splitting a cell projects all of its points on a normal, and every point passes through some
 * log2(numClasses / leafSize) cells of each tree. Cell by cell, that reads rows at random addresses
 * over and over, at a fraction of the speed of the arithmetic. So all cells of a level of several
 * trees are split in one sweep over the rows, in their order: a row is read once for all of these
 * trees, and what is at random addresses are normals, which are small. (Gathering the rows of small
 * cells into a cache to split them there was as fast, whatever the size, and not simpler.)
 *
 * <p>Every draw is a function of (seed, tree, path from the root), and the side of a point is one
 * of its projection: the result does not depend on groups or threads.
 */
final class ForestBuilder {
  /** Trees that are grown together, if there are not more threads: they pay for reading a row. */
  private static final int GROUP = 16;

  private static final int POINTS_PER_TASK = 1024;

  private final Points points;
  private final HashingForest.Settings settings;
  private final long seed;
  private final ComputeBackend backend;
  private final Workers workers;

  ForestBuilder(
      RowMatrix rows,
      boolean normalised,
      HashingForest.Settings settings,
      long seed,
      Engine engine) {
    this.points = new Points(rows, normalised, engine);
    this.settings = settings;
    this.seed = seed;
    this.backend = engine.backend();
    this.workers = engine.workers();
  }

  /** The trees, in memory of the arena. */
  List<ForestTree> build(Arena arena) {
    int numGroups = Math.ceilDiv(settings.numTrees(), Math.max(GROUP, workers.threads()));
    int groupSize = Math.ceilDiv(settings.numTrees(), numGroups);
    var trees = new ArrayList<ForestTree>();
    try (var scratchArena = Arena.ofShared()) {
      var scratch = new Scratch(groupSize, scratchArena);
      while (trees.size() < settings.numTrees()) {
        int count = Math.min(groupSize, settings.numTrees() - trees.size());
        try (var group = new Group(trees.size(), count, scratch, arena)) {
          trees.addAll(group.grow());
        }
      }
    }
    return trees;
  }

  /** What one group after the other needs. */
  private final class Scratch {
    // For each worker.
    final List<Splitter> splitters = new ArrayList<>();
    final long[] rows = new long[workers.threads()];
    final int[][] right = new int[workers.threads()][points.size()];

    /** For each tree of a group. */
    final List<MemorySegment> cells = new ArrayList<>();

    Scratch(int groupSize, Arena arena) {
      for (int worker = 0; worker < workers.threads(); worker++) {
        splitters.add(new Splitter(points.stride(), backend, arena));
        rows[worker] = NativeMemory.allocate(4L * points.stride(), arena).address();
      }
      for (int i = 0; i < groupSize; i++) {
        cells.add(OpenCells.allocate(points.size(), arena));
      }
    }
  }

  /** Some trees that are grown together, a level at a time. */
  private final class Group implements AutoCloseable {
    private final int count;
    private final Scratch scratch;
    private final Arena arena;
    private final TreeDraft[] drafts;
    private final OpenCells[] open;

    Group(int firstTree, int count, Scratch scratch, Arena arena) {
      this.count = count;
      this.scratch = scratch;
      this.arena = arena;
      drafts = new TreeDraft[count];
      open = new OpenCells[count];
      workers.run(
          count,
          (i, _) -> {
            drafts[i] = new TreeDraft(points.size(), points.stride(), arena);
            long key = Hash.key(seed, firstTree + i);
            var cells = scratch.cells.get(i);
            open[i] = new OpenCells(points, drafts[i], key, settings.leafSize(), cells);
          });
    }

    List<ForestTree> grow() {
      while (!Arrays.stream(open).allMatch(OpenCells::isEmpty)) {
        workers.run(count, (i, worker) -> open[i].draw(scratch.splitters.get(worker)));
        sweep();
        workers.run(count, (i, worker) -> open[i].split(scratch.right[worker]));
      }
      var trees = new ForestTree[count];
      workers.run(
          count,
          (i, _) -> {
            open[i].addLeaves();
            trees[i] = drafts[i].finish(arena);
          });
      return List.of(trees);
    }

    /** Finds the side of each point in its open cell of each tree. */
    private void sweep() {
      long[] firstNormals = Arrays.stream(open).mapToLong(OpenCells::firstNormal).toArray();
      float[][] thresholds = Arrays.stream(open).map(OpenCells::thresholds).toArray(float[][]::new);
      workers.run(
          Math.ceilDiv(points.size(), POINTS_PER_TASK),
          (task, worker) -> sweep(task, firstNormals, thresholds, scratch.rows[worker]));
    }

    private void sweep(int task, long[] firstNormals, float[][] thresholds, long scratchRow) {
      int from = task * POINTS_PER_TASK;
      int numPoints = Math.min(POINTS_PER_TASK, points.size() - from);
      int[] cells = new int[count * POINTS_PER_TASK];
      for (int i = 0; i < count; i++) {
        open[i].read(from, numPoints, cells, i * POINTS_PER_TASK);
      }
      long nodeBytes = ForestTree.nodeBytes(points.stride());
      long[] normals = new long[count];
      int[] places = new int[count];
      float[] projections = new float[count];
      for (int point = 0; point < numPoints; point++) {
        int numOpen = 0;
        for (int i = 0; i < count; i++) {
          int place = i * POINTS_PER_TASK + point;
          if (cells[place] != OpenCells.CLOSED) {
            places[numOpen] = place;
            normals[numOpen++] = firstNormals[i] + cells[place] * nodeBytes;
          }
        }
        if (numOpen > 0) {
          long address = points.address(from + point, scratchRow);
          backend.codeDots(normals, numOpen, address, points.stride(), projections);
          for (int i = 0; i < numOpen; i++) {
            int place = places[i];
            float threshold = thresholds[place / POINTS_PER_TASK][cells[place]];
            cells[place] |= projections[i] > threshold ? OpenCells.ON_LEFT : 0;
          }
        }
      }
      for (int i = 0; i < count; i++) {
        open[i].write(cells, i * POINTS_PER_TASK, numPoints, from);
      }
    }

    @Override
    public void close() {
      for (var draft : drafts) {
        draft.close();
      }
    }
  }
}
