package org.sparkqlora.tensor.cuda;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;

/** A library of CUDA's that a jar built with {@code -Pgpu} holds, and that JavaCPP's cache takes in. */
enum BundledLibrary {
    /** NVRTC, which looks for its builtins beside itself. */
    NVRTC_13("libnvrtc-builtins.so.13.1", "libnvrtc.so.13"),
    NVRTC_12("libnvrtc-builtins.so.12.9", "libnvrtc.so.12");

    private final List<String> files;

    BundledLibrary(String... files) {
        this.files = List.of(files);
    }

    /** Where those lie that this jar holds, unpacked. */
    static List<String> paths() {
        return Stream.of(values()).flatMap(library -> library.path().stream()).toList();
    }

    private Optional<String> path() {
        return files.stream()
                .map(BundledLibrary::unpacked)
                .reduce((first, last) -> last)
                .flatMap(last -> last);
    }

    private static Optional<String> unpacked(String name) {
        URL resource =
                BundledLibrary.class.getResource("/org/bytedeco/cuda/%s/%s".formatted(Loader.getPlatform(), name));
        if (resource == null) {
            return Optional.empty();
        }

        try {
            File file = Loader.cacheResource(resource);
            return Optional.ofNullable(file).map(File::getPath);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to unpack %s from this jar".formatted(name), e);
        }
    }
}
