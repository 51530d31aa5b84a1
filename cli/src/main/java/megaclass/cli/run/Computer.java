// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import java.util.Optional;
import megaclass.compute.ComputeBackend;
import megaclass.head.HeadEngines;
import megaclass.head.HeadProvider;
import megaclass.train.TrainConfig;
import org.jspecify.annotations.Nullable;

/**
 * What a run computes with, as it is found before the run.
 *
 * @param arithmetic of the host, as "vector 512 bit"
 * @param head where the head is trained, as "; head on cuda: NVIDIA H200"; empty for the host
 * @param device that trains the head, several as one; null when the host does, or when it is not
 *     there
 * @param deviceCount how many devices that is
 */
record Computer(
    String arithmetic, String head, HeadProvider.@Nullable Device device, int deviceCount) {
  /** Looks for what the settings ask for. */
  static Computer of(TrainConfig config) {
    String arithmetic =
        ComputeBackend.named(HeadEngines.arithmetic(config.backend())).description();
    var provider = HeadEngines.provider(config.backend());
    if (provider.isEmpty()) {
      return new Computer(arithmetic, "", null, 0);
    }
    var device = look(provider.get(), config);
    String found = device.map(HeadProvider.Device::description).orElse("no device here");
    String head = "; head on %s: %s".formatted(config.backend(), found);
    return new Computer(arithmetic, head, device.orElse(null), config.deviceCount());
  }

  /** A plan may be made where there is no device; a run asks again, and says what is wrong. */
  private static Optional<HeadProvider.Device> look(HeadProvider provider, TrainConfig config) {
    try {
      return Optional.of(HeadEngines.device(provider, config.deviceNumber(), config.deviceCount()));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
