/** The ordinary users that scripts/install-test-deps.sh makes for the rootless tests. */
export const SUBID_USER = 'mydocker-subid'; // has a range in /etc/subuid and /etc/subgid
export const PLAIN_USER = 'mydocker-plain'; // has none
