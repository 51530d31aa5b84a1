// SPDX-License-Identifier: Apache-2.0

/** Networks of layers as backbones, trained with LibTorch. */
module megaclass.torch {
  requires megaclass.core;
  requires org.bytedeco.javacpp;
  requires org.bytedeco.openblas;
  requires org.bytedeco.pytorch;
  requires static transitive org.jspecify;

  provides megaclass.backbone.NetworkProvider with
      megaclass.torch.TorchProvider;
}
