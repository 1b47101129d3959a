// The storage account of the Functions host and of Durable, and of the app's state tables. Reached by identity alone.
// Without a virtual network the account is reachable from anywhere; who may do anything there is decided by role.

@description('Suffix that makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Redundancy of the account.')
param redundancy string

@description('Object id of the app\'s identity.')
param identityPrincipalId string

var container = 'deployments'

var tableNames = [
  'ByEnd'
  'ByState'
  'Claims'
  'Outbox'
  'Prices'
  'Renewals'
  'RequestIndex'
  'Requests'
  'Runs'
  'Slots'
  'Subscriptions'
  'Tenants'
  'Visits'
  'WebhookIds'
]

// Built-in roles reference. Of the whole account, since Durable makes its own containers, queues and tables, named after
// its task hub. Blob Data Owner, and not Contributor, is what the Functions host documents for its own storage.
var roles = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: 'st${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource deployments 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [
  for tableName in tableNames: {
    parent: tableService
    name: tableName
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(account.id, identityPrincipalId, role.value)
    scope: account
    properties: {
      principalId: identityPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    }
  }
]

@description('Name of the account, for the host\'s connection by identity.')
output accountName string = account.name

@description('Table endpoint of the state.')
output tablesEndpoint string = account.properties.primaryEndpoints.table

@description('Address of the container from which the app\'s package is loaded.')
output deploymentContainer string = '${account.properties.primaryEndpoints.blob}${deployments.name}'
