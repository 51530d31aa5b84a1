// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.internal.Check;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;

/**
 * How well classes are told apart from a few examples of each: n-way k-shot classification by the
 * nearest prototype, which is the mean of the k embeddings at unit length. A query that scores as
 * high with another class as with its own counts as wrong.
 *
 * @param ways classes of an episode
 * @param shots examples of a class that make its prototype
 * @param episodes drawn
 * @param accuracy mean over episodes of the share of queries that are right; the interval is that
 *     of the mean over episodes of these classes, 1.96 standard errors
 */
public record FewShot(int ways, int shots, int episodes, Estimate accuracy) {
  /** Queries of a class in an episode, as is usual; fewer when it has no more examples. */
  private static final int QUERIES = 15;

  /**
   * What an episode is.
   *
   * @param ways at least 2
   * @param shots at least 1
   * @param episodes at least 2
   * @param seed of all draws
   */
  public record Task(int ways, int shots, int episodes, long seed) {
    /** Checks the ranges. */
    public Task {
      Check.inRange("ways", ways, 2, 1 << 20);
      Check.inRange("shots", shots, 1, 1 << 20);
      Check.inRange("episodes", episodes, 2, 1 << 24);
    }
  }

  /**
   * Runs the episodes. In each, {@code ways} classes are drawn from those with more than {@code
   * shots} examples, and of each its examples in a drawn order: the first are its shots, up to 15
   * more its queries.
   *
   * @throws IllegalArgumentException when there are not so many such classes
   */
  public static FewShot of(EmbeddingSet set, Task task) {
    var members = set.members();
    int[] classes = members.classesWith(task.shots() + 1);
    if (classes.length < task.ways()) {
      throw new IllegalArgumentException(
          "%d-way %d-shot takes %d classes of at least %d examples, but there are %d; ask for fewer ways"
              .formatted(task.ways(), task.shots(), task.ways(), task.shots() + 1, classes.length));
    }
    double[] accuracies = new double[task.episodes()];
    var workers = set.engine().workers();
    try (var arena = Arena.ofShared()) {
      var prototypes = new MemorySegment[workers.threads()];
      long bytes = 4L * task.ways() * set.stride();
      Arrays.setAll(prototypes, _ -> NativeMemory.allocate(bytes, arena));
      workers.run(
          task.episodes(),
          (episode, worker) -> {
            int[] drawn = new int[task.ways()];
            var order = new Permutation(classes.length, Hash.key(task.seed(), episode));
            Arrays.setAll(drawn, way -> classes[(int) order.at(way)]);
            accuracies[episode] =
                new Episode(set, members, task, drawn, episode).accuracy(prototypes[worker]);
          });
    }
    return new FewShot(task.ways(), task.shots(), task.episodes(), mean(accuracies));
  }

  private static Estimate mean(double[] values) {
    double mean = Arrays.stream(values).average().orElse(Double.NaN);
    double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    double half = 1.96 * Math.sqrt(squares / (values.length - 1) / values.length);
    return new Estimate(mean, mean - half, mean + half);
  }

  /** One draw of classes. */
  private static final class Episode {
    private final EmbeddingSet set;
    private final ClassMembers members;
    private final Task task;
    private final int number;

    /** (ways). */
    private final int[] classes;

    Episode(EmbeddingSet set, ClassMembers members, Task task, int[] classes, int number) {
      this.set = set;
      this.members = members;
      this.task = task;
      this.classes = classes;
      this.number = number;
    }

    /**
     * The share of right queries.
     *
     * @param prototypes (ways, stride), written
     */
    double accuracy(MemorySegment prototypes) {
      ComputeBackend backend = set.engine().backend();
      prototypes.fill((byte) 0);
      long[] rows = new long[task.ways()];
      for (int way = 0; way < task.ways(); way++) {
        rows[way] = prototypes.address() + 4L * way * set.stride();
        for (int shot = 0; shot < task.shots(); shot++) {
          backend.addScaled(set.row(item(way, shot)), 1f, set.stride(), rows[way]);
        }
        float unit = backend.inverseNorm(rows[way], set.stride());
        backend.scaled(rows[way], unit, set.stride(), rows[way]);
      }
      int right = 0;
      int all = 0;
      float[] scores = new float[task.ways()];
      for (int way = 0; way < task.ways(); way++) {
        int last = Math.min(members.count(classes[way]), task.shots() + QUERIES);
        for (int query = task.shots(); query < last; query++) {
          backend.dots(rows, task.ways(), set.row(item(way, query)), set.stride(), scores);
          right += isBest(scores, way) ? 1 : 0;
          all++;
        }
      }
      return (double) right / all;
    }

    private int item(int way, int i) {
      int classId = classes[way];
      long key = Hash.key(task.seed(), number, classId);
      return members.item(classId, (int) new Permutation(members.count(classId), key).at(i));
    }

    private static boolean isBest(float[] scores, int way) {
      for (int other = 0; other < scores.length; other++) {
        if (other != way && scores[other] >= scores[way]) {
          return false;
        }
      }
      return true;
    }
  }
}
