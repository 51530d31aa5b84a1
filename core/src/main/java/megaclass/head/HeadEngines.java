// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import java.util.ArrayList;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import megaclass.compute.ComputeBackend;

/**
 * What the setting {@code backend} may name: an arithmetic of the host, with which everything is
 * computed, or a provider, on whose device the head is trained while the host does the rest.
 */
public final class HeadEngines {
  private static final String CUDA = "cuda";

  private HeadEngines() {}

  /**
   * Checks that a backend can be asked for; whether it is there is another question.
   *
   * @return the name
   * @throws IllegalArgumentException when nothing has this name
   */
  public static String checkName(String backend) {
    if (isOnHost(backend) || backend.equals(CUDA) || find(backend).isPresent()) {
      return backend;
    }
    var names = new ArrayList<>(ComputeBackend.NAMES);
    names.add(CUDA);
    throw new IllegalArgumentException(
        "backend must be one of %s, but was \"%s\"".formatted(String.join(", ", names), backend));
  }

  /** Whether a backend is an arithmetic of the host, which trains the head, too. */
  public static boolean isOnHost(String backend) {
    return ComputeBackend.NAMES.contains(backend);
  }

  /** The arithmetic of the host beside a backend: itself, or the fastest beside a device. */
  public static String arithmetic(String backend) {
    return isOnHost(backend) ? backend : "auto";
  }

  /**
   * The provider that trains the head.
   *
   * @return nothing for a backend of the host
   * @throws IllegalArgumentException when its module is not there
   */
  public static Optional<HeadProvider> provider(String backend) {
    if (isOnHost(backend)) {
      return Optional.empty();
    }
    var found = find(backend);
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          "backend \"%s\" needs the module megaclass-%s, which is not on the module path; put it there, or take %s"
              .formatted(backend, backend, alternatives()));
    }
    return found;
  }

  private static Optional<HeadProvider> find(String backend) {
    return ServiceLoader.load(HeadProvider.class, HeadProvider.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.name().equals(backend))
        .findFirst();
  }

  /**
   * The device on which a provider would train; several as one, with what the fullest has free.
   *
   * @param number of the first one, from 0
   * @param count how many, at least 1
   * @throws IllegalArgumentException when one of them cannot be used
   */
  public static HeadProvider.Device device(HeadProvider provider, int number, int count) {
    try {
      var first = provider.device(number);
      if (count == 1) {
        return first;
      }
      long free = first.freeBytes();
      for (int i = number + 1; i < number + count; i++) {
        free = Math.min(free, provider.device(i).freeBytes());
      }
      return new HeadProvider.Device("%d x %s".formatted(count, first.description()), free);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "backend \"%s\" cannot be used here: %s. Or take %s"
              .formatted(provider.name(), e.getMessage(), alternatives()),
          e);
    }
  }

  /**
   * Refuses a head that its device has no room for, before anything is allocated.
   *
   * @throws IllegalArgumentException when it does not fit, or when there is no device
   */
  public static void requireFits(String backend, HeadSettings settings) {
    provider(backend).ifPresent(provider -> requireFits(provider, settings));
  }

  private static void requireFits(HeadProvider provider, HeadSettings settings) {
    long needed = provider.deviceBytes(settings).values().stream().mapToLong(Long::longValue).sum();
    int count = settings.deviceCount();
    var device = device(provider, settings.deviceNumber(), count);
    if (needed > device.freeBytes()) {
      throw new IllegalArgumentException(
          "the head needs %s%s on %s, of which %s are free; a smaller device.memory, dtype bf16, a smaller dim or an optimizer without momentum need less, backend auto needs nothing there"
              .formatted(
                  gibibytes(needed),
                  count > 1 ? " each" : "",
                  device.description(),
                  gibibytes(device.freeBytes())));
    }
  }

  private static String alternatives() {
    int last = ComputeBackend.NAMES.size() - 1;
    return String.join(", ", ComputeBackend.NAMES.subList(0, last))
        + " or "
        + ComputeBackend.NAMES.get(last);
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
