/** The PostgreSQL of the tests: the one that the benchmarks start too. */
export {
  freePort,
  type OwnPostgres as TestPostgres,
  postgresBin,
  startPostgres,
} from '../../../scripts/postgres.ts';
