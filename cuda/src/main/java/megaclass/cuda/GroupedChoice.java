// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.head.HeadSettings;
import megaclass.select.ClassSelector;
import megaclass.select.SelectorSpec;

/**
 * Another choice for each of several groups of similar samples: {@code groups(n)} of the host,
 * which cuts the batch, since the embeddings are there. On the device the samples of a group lie
 * side by side, so that a group is a part of every array.
 */
final class GroupedChoice implements DeviceChoice {
  private final Device device;
  private final DeviceChoice base;
  private final int numGroups;
  private final ComputeBackend backend;
  private final DeviceSelection all;
  private final DeviceScratch positions;
  private final List<Lists> lists = new ArrayList<>();
  private int[] sizes = new int[0];

  /** What was chosen for a group, kept while the next group chooses. */
  private record Lists(DeviceScratch classIds, DeviceScratch logWeights) {}

  /**
   * Cuts batches.
   *
   * @param base chooses for a group; closed with this, as is {@code all}
   * @param backend of the host, which cuts
   * @param all lists the classes of all groups together
   */
  GroupedChoice(
      Device device,
      DeviceChoice base,
      int numGroups,
      ComputeBackend backend,
      DeviceSelection all) {
    this.device = device;
    this.base = base;
    this.numGroups = numGroups;
    this.backend = backend;
    this.all = all;
    positions = new DeviceScratch(device);
  }

  /** The groups that a selector cuts a batch in; 1 where it does not. */
  static int numGroups(SelectorSpec selector) {
    return selector instanceof SelectorSpec.WithGroups groups ? groups.numGroups() : 1;
  }

  /** Bytes on the device besides those of the choice for a group, for the memory forecast. */
  static long sizeInBytes(HeadSettings settings, HeadSettings ofGroup) {
    long mostActive =
        ClassSelector.mostActive(ofGroup.selector(), ofGroup.numClasses(), ofGroup.batchSize());
    return DeviceSelection.sizeInBytes(settings, 0)
        + 8 * mostActive * numGroups(settings.selector())
        + 4L * settings.batchSize();
  }

  @Override
  public int[] order(Embeddings embeddings) {
    int[][] groups = ClassSelector.cut(embeddings, numGroups, backend);
    sizes = Arrays.stream(groups).mapToInt(samples -> samples.length).toArray();
    return Arrays.stream(groups).flatMapToInt(Arrays::stream).toArray();
  }

  @Override
  public Chosen choose(DeviceSamples samples, long draw) {
    all.begin(samples.targetIds(), samples.targets());
    DeviceBuffer places = positions.words(samples.size());
    List<Group> groups = new ArrayList<>();
    int from = 0;
    for (int g = 0; g < sizes.length; g++) {
      Chosen chosen = base.choose(samples.part(from, sizes[g]), draw * numGroups + g);
      DeviceBuffer own = places.part(4L * from, 4L * sizes[g]);
      groups.add(new Group(from, sizes[g], kept(g, chosen, own)));
      from += sizes[g];
    }
    int numActive = all.finish();
    return new Chosen(all.classIds(), numActive, all.targetPositions(), null, groups);
  }

  /**
   * The same in memory of its own; its classes are among those of all groups.
   *
   * @param places for the positions of the group's targets
   */
  private Chosen kept(int group, Chosen chosen, DeviceBuffer places) {
    if (group == lists.size()) {
      lists.add(new Lists(new DeviceScratch(device), new DeviceScratch(device)));
    }
    Lists own = lists.get(group);
    int numActive = chosen.numActive();
    DeviceBuffer ids = Objects.requireNonNull(chosen.classIds(), "groups leave classes out");
    DeviceBuffer classIds = copy(ids, own.classIds.words(numActive), numActive);
    all.add(classIds, numActive);
    device.copy(chosen.targetPositions(), 0, places, 0, places.bytes());
    DeviceBuffer weights = chosen.logWeights();
    DeviceBuffer logWeights =
        weights == null ? null : copy(weights, own.logWeights.words(numActive), numActive);
    return new Chosen(classIds, numActive, places, logWeights);
  }

  private DeviceBuffer copy(DeviceBuffer from, DeviceBuffer to, int words) {
    device.copy(from, 0, to, 0, 4L * words);
    return to;
  }

  @Override
  public boolean readsAllRows() {
    return base.readsAllRows();
  }

  @Override
  public void begin() {
    base.begin();
  }

  @Override
  public void moved(Chosen chosen) {
    base.moved(chosen);
  }

  @Override
  public void endStep(long step) {
    base.endStep(step);
  }

  @Override
  public Map<String, MemorySegment> state() {
    return base.state();
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    base.restore(sections);
  }

  @Override
  public void close() {
    base.close();
    all.close();
    positions.close();
    for (Lists own : lists) {
      own.classIds.close();
      own.logWeights.close();
    }
  }
}
