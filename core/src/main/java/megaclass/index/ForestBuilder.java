// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
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
 * <p>Splitting a cell projects all of its points, about log2(numClasses / leafSize) times each in
 * every tree, and points at random addresses come from memory at a tenth of the speed of the
 * arithmetic. So trees are grown in groups: near the root all cells of all trees of a group are
 * split in one sweep over the points, each read once for the group; cells that are small enough are
 * gathered into a cache and split there to the end, a tree a thread.
 *
 * <p>Every draw is a function of (seed, tree, path from the root), and a point's side of its
 * projection, which both ways compute alike: the result does not depend on groups, on threads, or
 * on where a cell was gathered.
 */
final class ForestBuilder {
  /** Trees that are grown together, at least: so many projections make good for one read. */
  private static final int GROUP = 16;

  /** Points of a gathered cell: half a level-2 cache. */
  private static final long GATHERED_BYTES = 1 << 20;

  private static final int POINTS_PER_TASK = 1024;

  private final Points points;
  private final HashingForest.Settings settings;
  private final long seed;
  private final ComputeBackend backend;
  private final Workers workers;
  private final int gatherSize;

  ForestBuilder(
      RowMatrix rows,
      boolean normalised,
      HashingForest.Settings settings,
      long seed,
      Engine engine) {
    this(rows, normalised, settings, seed, engine, gatherSize(rows, settings.leafSize()));
  }

  /** For tests, which set what may not matter. */
  ForestBuilder(
      RowMatrix rows,
      boolean normalised,
      HashingForest.Settings settings,
      long seed,
      Engine engine,
      int gatherSize) {
    this.points = new Points(rows, normalised, engine);
    this.settings = settings;
    this.seed = seed;
    this.backend = engine.backend();
    this.workers = engine.workers();
    this.gatherSize = gatherSize;
  }

  private static int gatherSize(RowMatrix rows, int leafSize) {
    long fitting = GATHERED_BYTES / (4L * rows.stride());
    // With larger cells than this there are never too many of them.
    long enough = rows.numRows() / TopLevels.MAX_CELLS + 1L;
    return (int) Math.min(rows.numRows(), Math.max(leafSize, Math.max(fitting, enough)));
  }

  /** The trees, in memory of the arena. */
  List<ForestTree> build(Arena arena) {
    var trees = new ArrayList<ForestTree>();
    try (var scratch = Arena.ofShared()) {
      int numGroups = Math.ceilDiv(settings.numTrees(), Math.max(GROUP, workers.threads()));
      int groupSize = Math.ceilDiv(settings.numTrees(), numGroups);
      var memory = new Scratch(groupSize, scratch);
      while (trees.size() < settings.numTrees()) {
        int from = trees.size();
        int count = Math.min(groupSize, settings.numTrees() - from);
        trees.addAll(new Group(from, count, memory).grow(arena));
      }
    }
    return trees;
  }

  /** What all groups need, in turn. */
  private final class Scratch {
    final List<Splitter> splitters = new ArrayList<>();
    final List<Subtrees> subtrees = new ArrayList<>();
    final List<MemorySegment> cells = new ArrayList<>();
    final int[][] right = new int[workers.threads()][];
    final long[] rows = new long[workers.threads()];

    Scratch(int groupSize, Arena arena) {
      for (int worker = 0; worker < workers.threads(); worker++) {
        splitters.add(new Splitter(points.stride(), backend, arena));
        subtrees.add(new Subtrees(points, settings.leafSize(), gatherSize, backend, arena));
        rows[worker] = NativeMemory.allocate(4L * points.stride(), arena).address();
        right[worker] = new int[points.size() > gatherSize ? points.size() : 0];
      }
      for (int i = 0; i < groupSize; i++) {
        cells.add(TopLevels.allocateCells(points.size(), arena));
      }
    }
  }

  /** Some trees, grown together. */
  private final class Group {
    private final int count;
    private final Scratch scratch;
    private final int first;

    Group(int first, int count, Scratch scratch) {
      this.first = first;
      this.count = count;
      this.scratch = scratch;
    }

    List<ForestTree> grow(Arena arena) {
      var drafts = new ArrayList<TreeDraft>();
      try {
        for (int i = 0; i < count; i++) {
          drafts.add(new TreeDraft(points.size(), points.stride(), arena));
        }
        var tops = new TopLevels[count];
        workers.run(count, (i, _) -> tops[i] = start(i, drafts.get(i)));
        while (growLevel(tops)) {
          // until no cell is too large to be gathered
        }
        var trees = new ForestTree[count];
        workers.run(
            count,
            (i, worker) -> {
              for (var cell : tops[i].closedCells()) {
                scratch.subtrees.get(worker).grow(drafts.get(i), cell);
              }
              trees[i] = drafts.get(i).finish(arena);
            });
        return List.of(trees);
      } finally {
        drafts.forEach(TreeDraft::close);
      }
    }

    private TopLevels start(int i, TreeDraft draft) {
      long key = Hash.key(seed, first + i);
      return new TopLevels(points, draft, key, gatherSize, scratch.cells.get(i));
    }

    /** Splits all open cells once; returns false when there were none. */
    private boolean growLevel(TopLevels[] tops) {
      boolean open = false;
      for (var top : tops) {
        open |= top.isOpen();
      }
      if (!open) {
        return false;
      }
      workers.run(count, (i, worker) -> tops[i].draw(scratch.splitters.get(worker)));
      var level = new Level(tops);
      workers.run(
          Math.ceilDiv(points.size(), POINTS_PER_TASK),
          (task, worker) -> sweep(tops, level, task, worker));
      workers.run(count, (i, worker) -> tops[i].split(scratch.right[worker]));
      return true;
    }

    /** The hyperplanes of all open cells, by tree. */
    private final class Level {
      final long[] firstNormals = new long[count];
      final float[][] thresholds = new float[count][];
      final long nodeBytes = ForestTree.nodeBytes(points.stride());

      Level(TopLevels[] tops) {
        for (int i = 0; i < count; i++) {
          firstNormals[i] = tops[i].firstNormal();
          thresholds[i] = tops[i].thresholds();
        }
      }
    }

    /** Projects the points of a task on the normals of their cells in all trees. */
    private void sweep(TopLevels[] tops, Level level, int task, int worker) {
      int from = task * POINTS_PER_TASK;
      int numPoints = Math.min(POINTS_PER_TASK, points.size() - from);
      char[] cells = new char[count * POINTS_PER_TASK];
      for (int i = 0; i < count; i++) {
        tops[i].readCells(from, numPoints, cells, i * POINTS_PER_TASK);
      }
      long[] normals = new long[count];
      int[] places = new int[count];
      float[] projections = new float[count];
      for (int point = 0; point < numPoints; point++) {
        int open = 0;
        for (int i = 0; i < count; i++) {
          int place = i * POINTS_PER_TASK + point;
          if (cells[place] != TopLevels.CLOSED) {
            places[open] = place;
            normals[open++] = level.firstNormals[i] + cells[place] * level.nodeBytes;
          }
        }
        if (open > 0) {
          long address = points.address(from + point, scratch.rows[worker]);
          backend.codeDots(normals, open, address, points.stride(), projections);
          for (int i = 0; i < open; i++) {
            int place = places[i];
            float threshold = level.thresholds[place / POINTS_PER_TASK][cells[place]];
            cells[place] |= projections[i] > threshold ? TopLevels.ON_LEFT : 0;
          }
        }
      }
      for (int i = 0; i < count; i++) {
        tops[i].writeCells(cells, i * POINTS_PER_TASK, numPoints, from);
      }
    }
  }
}
