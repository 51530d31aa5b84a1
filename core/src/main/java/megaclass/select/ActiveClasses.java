// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The classes that take part in the softmax of one mini-batch, in ascending order of their ids;
 * every target is among them, none twice. In the literature: active (HF-Softmax, KNN-Softmax),
 * sampled (Partial FC) or important (ANN Softmax) classes. Immutable.
 *
 * <p>All samples share them, or the batch is cut in {@link #groups} with active classes of their
 * own; then these are the classes of all groups together, and log weights stand in the groups.
 */
public final class ActiveClasses {
  private final int numActive;
  private final int @Nullable [] classIds;
  private final float @Nullable [] logWeights;
  private final int[] targetPositions;
  private final List<Group> groups;
  private final int[] groupsWith;

  /**
   * Some samples of a batch and the classes that they alone compete with.
   *
   * @param samples their numbers in the batch, ascending
   * @param active classes of the group; sample {@code i} of it is {@code samples[i]} of the batch
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares groups
  public record Group(int[] samples, ActiveClasses active) {}

  private ActiveClasses(
      int numActive,
      int @Nullable [] classIds,
      float @Nullable [] logWeights,
      int[] targetPositions,
      List<Group> groups,
      int[] groupsWith) {
    this.numActive = numActive;
    this.classIds = classIds;
    this.logWeights = logWeights;
    this.targetPositions = targetPositions;
    this.groups = groups;
    this.groupsWith = groupsWith;
  }

  /**
   * All classes, each for itself.
   *
   * @param targets class id of each sample, (batch)
   */
  public static ActiveClasses all(int numClasses, int[] targets) {
    return new ActiveClasses(numClasses, null, null, targets.clone(), List.of(), new int[0]);
  }

  /**
   * Some classes.
   *
   * @param classIds ascending, without duplicates; not copied
   * @param logWeights what is added to the logit of each, (numActive), or null for 0; not copied
   * @param targets class id of each sample, (batch), each among {@code classIds}
   * @throws IllegalArgumentException when a target is missing
   */
  public static ActiveClasses of(int[] classIds, float @Nullable [] logWeights, int[] targets) {
    return new ActiveClasses(
        classIds.length, classIds, logWeights, positions(classIds, targets), List.of(), new int[0]);
  }

  /**
   * The classes of a batch that is cut in groups.
   *
   * @param groups each sample of the batch in one of them
   * @param targets class id of each sample, (batch), each among the classes of its group
   */
  public static ActiveClasses ofGroups(List<Group> groups, int[] targets) {
    int[] ids = new int[Math.toIntExact(groups.stream().mapToLong(g -> g.active.numActive).sum())];
    int total = 0;
    for (Group group : groups) {
      for (int j = 0; j < group.active.numActive; j++) {
        ids[total++] = group.active.classId(j);
      }
    }
    Arrays.sort(ids);
    int[] counts = new int[total];
    int distinct = 0;
    for (int i = 0; i < total; i++) {
      if (distinct == 0 || ids[i] != ids[distinct - 1]) {
        distinct++;
      }
      ids[distinct - 1] = ids[i];
      counts[distinct - 1]++;
    }
    int[] union = Arrays.copyOf(ids, distinct);
    return new ActiveClasses(
        distinct,
        union,
        null,
        positions(union, targets),
        List.copyOf(groups),
        Arrays.copyOf(counts, distinct));
  }

  private static int[] positions(int[] classIds, int[] targets) {
    int[] positions = new int[targets.length];
    for (int i = 0; i < targets.length; i++) {
      positions[i] = Arrays.binarySearch(classIds, targets[i]);
      if (positions[i] < 0) {
        throw new IllegalArgumentException(
            "target %d of sample %d is not among the active classes; a selector must take in all"
                    .formatted(targets[i], i)
                + " targets");
      }
    }
    return positions;
  }

  /** How many. */
  public int numActive() {
    return numActive;
  }

  /** Class id at a position in [0, numActive). */
  public int classId(int position) {
    return classIds == null ? position : classIds[position];
  }

  /** Position of a class, or a negative number when it is not active. */
  public int positionOf(int classId) {
    return classIds == null ? classId : Arrays.binarySearch(classIds, classId);
  }

  /** What is added to the logit: 0, or log((N - |S|) / m) for a class that stands for others. */
  public float logWeight(int position) {
    return logWeights == null ? 0f : logWeights[position];
  }

  /** Position of the target of a sample. */
  public int targetPosition(int sample) {
    return targetPositions[sample];
  }

  /** The groups of the batch; none when all samples share these classes. */
  public List<Group> groups() {
    return groups;
  }

  /** How many of the {@link #groups} have the class at a position. */
  public int groupsWith(int position) {
    return groupsWith[position];
  }

  /** The classes that a sample competes with: those of its group, or all of these. */
  public ActiveClasses ofSample(int sample) {
    for (Group group : groups) {
      if (Arrays.binarySearch(group.samples, sample) >= 0) {
        return group.active;
      }
    }
    return this;
  }

  /**
   * The classes of the first samples of the batch, each still with those of its group.
   *
   * @param targets class id of each of these samples
   */
  public ActiveClasses ofFirst(int[] targets) {
    if (groups.isEmpty()) {
      return new ActiveClasses(
          numActive,
          classIds,
          logWeights,
          Arrays.copyOf(targetPositions, targets.length),
          groups,
          groupsWith);
    }
    var first = new ArrayList<Group>();
    for (Group group : groups) {
      int[] samples = Arrays.stream(group.samples).filter(i -> i < targets.length).toArray();
      if (samples.length > 0) { // samples ascend, so these are the first of the group, too
        int[] own = Arrays.stream(samples).map(i -> targets[i]).toArray();
        first.add(new Group(samples, group.active.ofFirst(own)));
      }
    }
    return ofGroups(first, targets);
  }
}
