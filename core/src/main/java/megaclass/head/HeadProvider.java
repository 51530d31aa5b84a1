// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import java.util.Map;

/**
 * An engine that trains the head of a run on a device. Implementations are found by {@link
 * java.util.ServiceLoader}; making one must cost nothing and load no library.
 *
 * <p>Stateless and thread-safe.
 */
public interface HeadProvider {
  /** What to ask for as {@code backend}, as "cuda". */
  String name();

  /**
   * Looks at a device.
   *
   * @param number which one, from 0
   * @throws IllegalArgumentException when it cannot be used; a sentence without a full stop that
   *     says why
   */
  Device device(int number);

  /**
   * A device as it was found.
   *
   * @param description what it is, in a few words, as "NVIDIA H200"
   * @param freeBytes of its memory that nobody uses
   */
  record Device(String description, long freeBytes) {}

  /**
   * Forecasts the memory that a head takes of a device, of each if there are several, without
   * looking at one.
   *
   * @return bytes by term, in the order in which they are told
   * @throws IllegalArgumentException when this engine cannot train such a head; a whole sentence,
   *     which says what it has instead
   */
  Map<String, Long> deviceBytes(HeadSettings settings);

  /**
   * Makes the head of a run; its memory on the device is taken here.
   *
   * @throws IllegalArgumentException when the settings do not fit the data
   * @throws IllegalStateException when the device cannot be used, or has no room, after all
   */
  TrainingHead open(HeadProblem problem);
}
