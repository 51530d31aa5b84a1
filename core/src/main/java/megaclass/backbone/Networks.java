// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import java.util.ServiceLoader;

/** Finds the library that trains networks. */
public final class Networks {
  private Networks() {}

  /**
   * The library.
   *
   * @param spec for which it is wanted
   * @throws IllegalArgumentException when there is none on the module path
   */
  public static NetworkProvider provider(BackboneSpec.Network spec) {
    return ServiceLoader.load(NetworkProvider.class, NetworkProvider.class.getClassLoader())
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "backbone %s needs LibTorch, which is not installed; this gets it, once (110 MB): megaclass install torch. Java programs put the module megaclass-torch on their path"
                        .formatted(spec)));
  }
}
