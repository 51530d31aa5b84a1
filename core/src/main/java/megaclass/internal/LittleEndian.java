// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** How numbers lie in our files, and in the memory that mirrors them: little-endian, anywhere. */
public final class LittleEndian {
  /** Four bytes. */
  public static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Eight bytes. */
  public static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Four bytes, IEEE 754. */
  public static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private LittleEndian() {}
}
