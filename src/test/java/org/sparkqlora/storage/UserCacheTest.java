package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;

class UserCacheTest {
    private static final Path NO_HOME = Path.of("/no/such/home");

    @TempDir
    private Path folder;

    private Path home;
    private Path temporary;

    @BeforeEach
    void makeFolders() throws IOException {
        home = Files.createDirectory(folder.resolve("home"));
        temporary = Files.createDirectory(folder.resolve("temporary"));
    }

    @Test
    void copiesLieInAFolderThatOnlyTheUserMayEnter() throws IOException {
        Path models = of(Map.of()).folder("models");

        assertThat(models).isEqualTo(home.resolve(".cache/spark-qlora/models"));
        assertThat(mode(home.resolve(".cache/spark-qlora"))).isEqualTo("rwx------");
    }

    @Test
    void theFolderThatTheEnvironmentNamesGoesBeforeTheHome() {
        Path asked = folder.resolve("asked");

        assertThat(of(Map.of("XDG_CACHE_HOME", asked.toString())).folder("models"))
                .isEqualTo(asked.resolve("spark-qlora/models"));
        assertThat(of(Map.of("XDG_CACHE_HOME", "not/absolute")).folder("models"))
                .isEqualTo(home.resolve(".cache/spark-qlora/models"));
    }

    @Test
    void aContainerUsesItsLocalFolder() throws IOException {
        String local = Files.createDirectory(folder.resolve("local")).toString();

        assertThat(of(Map.of("CONTAINER_ID", "container_1", "LOCAL_DIRS", local + ",/other"))
                        .folder("models"))
                .isEqualTo(Path.of(local, "spark-qlora/models"));
        assertThat(of(Map.of("KUBERNETES_SERVICE_HOST", "10.0.0.1", "SPARK_LOCAL_DIRS", local))
                        .folder("models"))
                .isEqualTo(Path.of(local, "spark-qlora/models"));
    }

    @Test
    void anAccountWithoutAHomeGetsAFolderOfItsOwnAmongTemporaryFiles() throws IOException {
        Path models = new UserCache(Map.of(), NO_HOME, temporary).folder("models");

        assertThat(models).isEqualTo(planted().resolve("models"));
        assertThat(mode(planted())).isEqualTo("rwx------");
    }

    @Test
    void aFolderThatIsThereIsTakenAgain() {
        Path models = of(Map.of()).folder("models");

        assertThat(of(Map.of()).folder("models")).isEqualTo(models);
        assertThat(models.getParent()).isEmptyDirectory();
    }

    @Test
    void aPlantedLinkIsNotFollowed() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Path planted = Files.createSymbolicLink(planted(), elsewhere);

        assertThatThrownBy(() -> withoutHome().folder("models"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot keep files in %s: expected a folder of this user that nobody else can write, found a symbolic link. Set XDG_CACHE_HOME to a folder of this user's own (for copies of models, --model-cache), or have it removed."
                                .formatted(planted));
        assertThat(elsewhere).isEmptyDirectory();
    }

    @Test
    void aPlantedFileIsRefused() throws IOException {
        Files.createFile(planted());

        assertThatThrownBy(() -> withoutHome().folder("models"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("found a file.");
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"rwxrwx---", "rwx----w-", "rwxrwxrwx"})
    void aFolderThatOthersMayWriteIsRefused(String mode) throws IOException {
        Path planted = Files.createDirectory(planted());
        Files.setPosixFilePermissions(planted, PosixFilePermissions.fromString(mode));

        assertThatThrownBy(() -> withoutHome().folder("models"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("found mode %s.", mode);
    }

    @Test
    void aFolderOfAnotherUserIsRefused() throws IOException {
        Path foreign = foreign();

        assertThatThrownBy(() -> PrivateFolder.open(foreign))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot keep files in %s: expected a folder of this user", foreign)
                .hasMessageContaining("found one of %s", Files.getOwner(foreign));
    }

    @Test
    void aFolderOfTheUserThatOthersMayReadIsTaken() throws IOException {
        Path mine = Files.createDirectory(planted());
        Files.setPosixFilePermissions(mine, PosixFilePermissions.fromString("rwxr-xr-x"));

        assertThatCode(() -> withoutHome().folder("models")).doesNotThrowAnyException();
    }

    private UserCache of(Map<String, String> environment) {
        return new UserCache(environment, home, temporary);
    }

    private UserCache withoutHome() {
        return new UserCache(Map.of(), NO_HOME, temporary);
    }

    /** Only root may give a folder away; to all others, root's are foreign. */
    private Path foreign() throws IOException {
        if (new UnixSystem().getUid() != 0) {
            return Path.of("/usr");
        }

        Path given = Files.createDirectory(folder.resolve("given"));
        return Files.setOwner(
                given, given.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
    }

    /** The folder that another user, who can guess the number, would create first. */
    private Path planted() {
        return temporary.resolve("spark-qlora-" + new UnixSystem().getUid());
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
