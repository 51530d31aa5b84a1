#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Compiles each .cu file of a folder to a .fatbin beside it, with the options of KernelCache: machine
# code for compute capability 8.x and 9.0, and PTX, which drivers compile for newer devices.
set -euo pipefail
cd "$1"
for source in *.cu; do
  nvcc -fatbin --std=c++17 --fmad=false -Werror all-warnings \
    -gencode arch=compute_80,code=sm_80 -gencode 'arch=compute_90,code=[sm_90,compute_90]' \
    -o "${source%.cu}.fatbin" "$source"
done
